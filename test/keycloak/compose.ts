// A compose file whose services run on this machine without a container runtime: with the commands, the environment and the health
// checks that are written there, but for the addresses of the services, which become free ports of 127.0.0.1.
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { parse } from 'yaml'

export interface Service {
  command?: string[]
  environment: Record<string, string>
  volumes: string[]
  healthcheck: { test: string[] }
}

export interface Compose {
  services: Record<string, Service>
  /** A text of the file, or of one that a service mounts, with addresses of this machine. */
  here (text: string): string
  /** The port of this machine that stands for an address of the file. */
  port (address: string): number
}

/**
 * @param variables the values of `${NAME:?}` in the file, where `$$` is a dollar sign
 * @param addresses what stands for one port each in the file and in those that it mounts, such as `keycloak:8080`; or `8443`, a port
 * that browsers see
 */
export async function readCompose (file: string, variables: Record<string, string | undefined>, addresses: string[][]): Promise<Compose> {
  const ports = new Map<string, number>()
  for (const names of addresses) {
    const port = await freePort()
    for (const name of names) ports.set(name, port)
  }
  const here = (text: string): string => [...ports].reduce((changed, [name, port]) =>
    changed.replaceAll(name, name.replace(/^[a-z]+/, '127.0.0.1').replace(/\d+$/, String(port))), text)
  const text = readFileSync(file, 'utf8').replace(/\$\{(\w+):\?\}|\$\$/g, (_, name?: string) => {
    if (name === undefined) return '$'
    const value = variables[name]
    if (value === undefined) throw new Error(`${file} has the variable ${name}, which has no value.`)
    return value
  })
  return { services: parse(here(text)).services, here, port: (address) => ports.get(address)! }
}

/** Is the service healthy? By the command of its health check, run here. */
export function isHealthy ({ healthcheck: { test: [kind, ...command] } }: Service): boolean {
  if (kind !== 'CMD') throw new Error(`The health check is of the kind ${kind}.`)
  const [program, ...args] = command
  return spawnSync(program!, args, { stdio: 'ignore', timeout: 10_000 }).status === 0
}

export async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
