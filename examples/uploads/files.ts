import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { MultipartFile } from '@fastify/multipart'

export interface StoredFile {
  id: string
  /** What the client called it: for people to read, never part of a path. */
  name: string
  size: number
}

/** Files in a folder, and whose they are. */
export class Files {
  readonly #folder: string
  readonly #owned = new Map<string, StoredFile[]>()

  constructor (folder: string) {
    this.#folder = folder
  }

  of (owner: string): StoredFile[] {
    return this.#owned.get(owner) ?? []
  }

  /** From the request to the disk, no more of it in memory than a piece. What fails on the way leaves nothing behind. */
  async receive ({ file, filename }: MultipartFile, owner: string, mayKeep?: () => Promise<unknown>): Promise<StoredFile> {
    const id = randomUUID()
    const path = join(this.#folder, id)
    try {
      await pipeline(limited(file), createWriteStream(path))
      await mayKeep?.()
    } catch (error) {
      await rm(path, { force: true })
      throw error
    }
    const stored = { id, name: filename, size: (await stat(path)).size }
    this.#owned.set(owner, [...this.of(owner), stored])
    return stored
  }
}

/** Ends a file at its limit. Left alone it would be read to its end, however far that is, and the rest thrown away. */
function limited (file: MultipartFile['file']): MultipartFile['file'] {
  const end = () => { file.destroy(Object.assign(new Error('The file is too large.'), { statusCode: 413 })) }
  // A small one may have come with the first piece.
  return file.truncated ? (end(), file) : file.once('limit', end)
}
