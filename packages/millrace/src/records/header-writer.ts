/** Writes the headers of a record as Kafka stores them. */
import { putVarint } from './varint.ts'

/** Writes the headers of one record after the other into one buffer that is used again and again. */
export class HeaderWriter {
  bytes: Buffer = Buffer.allocUnsafeSlow(1024)

  /**
   * Writes the headers of a record; they are valid until the next call.
   * @param following number of headers that the caller puts behind them
   * @returns their length in `bytes`
   */
  write(headers: readonly (readonly [name: string, value: Uint8Array | string | null])[], following = 0): number {
    let most = 5
    for (const [name, value] of headers)
      most += 10 + name.length * 3 + (value === null ? 0 : typeof value === 'string' ? value.length * 3 : value.length)
    if (most > this.bytes.length) this.bytes = Buffer.allocUnsafeSlow(most * 2)
    const { bytes } = this
    let at = putVarint(bytes, 0, headers.length + following)
    for (const [name, value] of headers) {
      at = putText(bytes, at, name)
      if (value === null) at = putVarint(bytes, at, -1)
      else if (typeof value === 'string') at = putText(bytes, at, value)
      else {
        at = putVarint(bytes, at, value.length)
        bytes.set(value, at)
        at += value.length
      }
    }
    return at
  }
}

function putText(bytes: Buffer, at: number, text: string): number {
  const length = Buffer.byteLength(text)
  const start = putVarint(bytes, at, length)
  if (length > 0) writeUtf8(bytes, text, start)
  return start + length
}

/** Writes a text; `Buffer.write` without its argument handling. The types of Node do not know it. @returns bytes written */
export function writeUtf8(bytes: Buffer, text: string, at: number): number {
  return (bytes as Buffer & { utf8Write(text: string, at: number): number }).utf8Write(text, at)
}
