import { readFileSync } from 'node:fs'

const read = (name: string): string => readFileSync(new URL(`certificates/${name}`, import.meta.url), 'utf8')

/** A self-signed certificate for 127.0.0.1 and its key, for tests of TLS. They are public: good for nothing else. */
export const CERTIFICATE = read('server.crt')
export const KEY = read('server.key')
