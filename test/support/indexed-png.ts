import { crc32, deflateSync } from 'node:zlib'

/** Red, green and blue in 24 bits. */
type Color = number

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex')

/**
 * A picture as PNG with a palette, which is a third of one with three bytes a pixel: RFC 2083.
 * @param data four bytes a pixel, as pngjs reads them; what is transparent is painted opaque
 */
export function indexedPng ({ width, height, data }: { width: number, height: number, data: Buffer }): Buffer {
  const pixels = Array.from({ length: width * height }, (_, index): Color => data.readUIntBE(4 * index, 3))
  const palette = mostFrequent(pixels, 32)
  const nearest = new Map(palette.map((color, index) => [color, index]))
  // A line begins with the number of its filter: none, by which text compresses best (section 9.6).
  const lines = Buffer.alloc((width + 1) * height)
  for (const [index, color] of pixels.entries()) {
    if (!nearest.has(color)) nearest.set(color, indexOfNearest(palette, color))
    lines[index + Math.floor(index / width) + 1] = nearest.get(color)!
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  // Eight bits a pixel, each of which is an index into the palette (section 4.1.1).
  header.set([8, 3], 8)
  const colors = Buffer.from(palette.flatMap(channels))
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), chunk('PLTE', colors), chunk('IDAT', deflateSync(lines, { level: 9 })), chunk('IEND', Buffer.alloc(0))])
}

function mostFrequent (pixels: Color[], count: number): Color[] {
  const frequencies = new Map<Color, number>()
  for (const color of pixels) frequencies.set(color, (frequencies.get(color) ?? 0) + 1)
  return [...frequencies].sort(([, one], [, other]) => other - one).slice(0, count).map(([color]) => color)
}

function indexOfNearest (palette: Color[], color: Color): number {
  const distances = palette.map((other) => channels(other).reduce((sum, value, index) => sum + Math.abs(value - channels(color)[index]!), 0))
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
