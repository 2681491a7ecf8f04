/** Reads files out of a jar, which is a zip archive, without a library or a program. */
import { readFileSync } from 'node:fs'
import { inflateRawSync } from 'node:zlib'

const END_OF_DIRECTORY = 0x06054b50
const DIRECTORY_ENTRY = 0x02014b50
const STORED = 0

/** The entries whose name begins with `prefix`: their names without it, and their text. */
export function readJar(file: string, prefix: string): Map<string, string> {
  const bytes = readFileSync(file)
  const texts = new Map<string, string>()
  let end = bytes.length - 22
  while (bytes.readUInt32LE(end) !== END_OF_DIRECTORY) end--
  let at = bytes.readUInt32LE(end + 16)
  while (bytes.readUInt32LE(at) === DIRECTORY_ENTRY) {
    const nameLength = bytes.readUInt16LE(at + 28)
    const name = bytes.toString('utf8', at + 46, at + 46 + nameLength)
    if (name.startsWith(prefix) && !name.endsWith('/')) texts.set(name.slice(prefix.length), textAt(bytes, at))
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32)
  }
  return texts
}

function textAt(bytes: Buffer, entry: number): string {
  const method = bytes.readUInt16LE(entry + 10)
  const size = bytes.readUInt32LE(entry + 20)
  const local = bytes.readUInt32LE(entry + 42)
  const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28)
  const content = bytes.subarray(start, start + size)
  return (method === STORED ? content : inflateRawSync(content)).toString()
}
