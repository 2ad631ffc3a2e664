// Where things are.
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))

export const root = fileURLToPath(new URL('..', import.meta.url))
export const here = (name: string): string => `${HERE}${name}`
export const cacheFile = (name: string): string => `${HERE}.cache/${name}`
