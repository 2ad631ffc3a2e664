import { crc32, deflateSync } from 'node:zlib'

/** Red, green and blue in 24 bits. */
type Color = number

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex')

/** Four bits a pixel. */
const MOST_COLORS = 16

/** The sum of the differences of red, green and blue by which the colors of a palette differ at least: nobody sees less in a text. */
const LEAST_DIFFERENCE = 60

/**
 * A picture as PNG with a palette, which is a quarter of one with three bytes a pixel: RFC 2083.
 * @param data four bytes a pixel, as pngjs reads them; what is transparent is painted opaque
 */
export function indexedPng ({ width, height, data }: { width: number, height: number, data: Buffer }): Buffer {
  const pixels = Array.from({ length: width * height }, (_, index): Color => data.readUIntBE(4 * index, 3))
  const palette = paletteOf(pixels)
  const nearest = new Map(palette.map((color, index) => [color, index]))
  // A line begins with the number of its filter: none, by which text compresses best (section 9.6).
  const bytesOfLine = 1 + Math.ceil(width / 2)
  const lines = Buffer.alloc(bytesOfLine * height)
  for (const [index, color] of pixels.entries()) {
    if (!nearest.has(color)) nearest.set(color, indexOfNearest(palette, color))
    const column = index % width
    // The left one of two pixels has the high bits (section 2.3).
    lines[Math.floor(index / width) * bytesOfLine + 1 + (column >> 1)]! |= nearest.get(color)! << (column % 2 === 0 ? 4 : 0)
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  // Four bits a pixel, each of which is an index into the palette (section 4.1.1).
  header.set([4, 3], 8)
  const colors = Buffer.from(palette.flatMap(channels))
  const compressed = deflateSync(lines, { level: 9, memLevel: 9 })
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), chunk('PLTE', colors), chunk('IDAT', compressed), chunk('IEND', Buffer.alloc(0))])
}

/** The most frequent colors, without those that are nearly the same as a more frequent one. */
function paletteOf (pixels: Color[]): Color[] {
  const frequencies = new Map<Color, number>()
  for (const color of pixels) frequencies.set(color, (frequencies.get(color) ?? 0) + 1)
  const palette: Color[] = []
  for (const [color] of [...frequencies].sort(([, one], [, other]) => other - one)) {
    if (palette.every((other) => difference(other, color) >= LEAST_DIFFERENCE)) palette.push(color)
  }
  return palette.slice(0, MOST_COLORS)
}

function difference (color: Color, other: Color): number {
  return channels(other).reduce((sum, value, index) => sum + Math.abs(value - channels(color)[index]!), 0)
}

function indexOfNearest (palette: Color[], color: Color): number {
  const distances = palette.map((other) => difference(other, color))
  return distances.indexOf(Math.min(...distances))
}

function channels (color: Color): number[] {
  return [color >> 16, (color >> 8) & 255, color & 255]
}

function chunk (type: string, body: Buffer): Buffer {
  const content = Buffer.concat([Buffer.from(type), body])
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(body.length)
  checksum.writeUInt32BE(crc32(content))
  return Buffer.concat([length, content, checksum])
}
