import { createRequire } from 'node:module'

/** The files of a package in CommonJS that this process has loaded, by their paths in the package. */
export function loadedFiles (name: string): string[] {
  const folder = `/node_modules/${name}/`
  return Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes(folder)).map((path) => path.slice(path.lastIndexOf(folder) + folder.length))
}
