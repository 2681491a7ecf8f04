/** Packs values into tuples, as a runtime of Flow sends them; `materialize/wire/tuple.ts` reads them. */
import { isExact, stringifyExactly } from '../../packages/millrace/src/records/exact-numbers.ts'

/** @param values as `parseExactly` reads them: numbers whose digits matter are kept as text */
export function packTuple(values: readonly unknown[]): Buffer {
  return Buffer.concat(values.map(packElement))
}

function packElement(value: unknown): Buffer {
  if (value === null || value === undefined) return Buffer.from([0x00])
  if (typeof value === 'string') return terminated(0x02, value)
  if (typeof value === 'boolean') return Buffer.from([value ? 0x27 : 0x26])
  if (typeof value === 'number' || isExact(value)) {
    const text = isExact(value) ? value.rawJSON : String(value)
    return /^-?\d+$/.test(text) && text !== '-0' ? packInteger(BigInt(text)) : packDouble(Number(text))
  }
  return terminated(0x01, stringifyExactly(value))
}

function terminated(type: number, text: string): Buffer {
  const bytes = Buffer.from(text)
  const parts: number[] = [type]
  for (const byte of bytes) parts.push(byte, ...(byte === 0 ? [0xff] : []))
  return Buffer.from([...parts, 0])
}

function packInteger(value: bigint): Buffer {
  const size = value < 0n ? -value : value
  const bytes: number[] = []
  for (let rest = size; rest > 0n; rest >>= 8n) bytes.unshift(Number(rest & 255n))
  if (bytes.length > 8) return packDouble(Number(value))
  if (value < 0n) return Buffer.from([0x14 - bytes.length, ...bytes.map((byte) => byte ^ 255)])
  return Buffer.from([0x14 + bytes.length, ...bytes])
}

function packDouble(value: number): Buffer {
  const bytes = Buffer.alloc(9)
  bytes[0] = 0x21
  bytes.writeDoubleBE(value, 1)
  if (bytes[1]! & 0x80) for (let i = 1; i < 9; i++) bytes[i]! ^= 0xff
  else bytes[1]! |= 0x80
  return bytes
}
