/**
 * Reads a fixture of Flow: a line `["collection", {document}]` for each document, and `{"commit": true}` behind each transaction.
 *
 * Documents get `/_meta/uuid` as flowctl gives it: an hour for each transaction, and a second for each document within.
 */
import { readFileSync } from 'node:fs'
import { parseExactly } from '../../packages/millrace/src/records/exact-numbers.ts'

export interface FixtureDocument {
  readonly collection: string
  readonly document: Readonly<Record<string, unknown>>
  /** When it was published, in seconds since 1970. */
  readonly seconds: number
}

export type FixtureTransaction = readonly FixtureDocument[]

const TRANSACTION_SECONDS = 3600

/** @throws {Error} naming the line that is not as it should be */
export function readFixture(file: string): FixtureTransaction[] {
  const transactions: FixtureDocument[][] = []
  let open: FixtureDocument[] = []
  for (const [i, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    if (line.trim() === '') continue
    const parsed = parseLine(line, `${file}:${i + 1}`)
    if (parsed === 'commit') {
      transactions.push(open)
      open = []
      continue
    }
    const seconds = transactions.length * TRANSACTION_SECONDS + open.length
    open.push({ collection: parsed[0], document: withUuid(parsed[1], seconds), seconds })
  }
  return open.length === 0 ? transactions : [...transactions, open]
}

function parseLine(line: string, place: string): 'commit' | [string, Record<string, unknown>] {
  let value: unknown
  try {
    value = parseExactly(line)
  } catch (error) {
    throw new Error(`${place} is not JSON: ${(error as Error).message}`, { cause: error })
  }
  if (Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && isObject(value[1]))
    return [value[0], value[1]]
  if (isObject(value) && (value['commit'] === true || value['ack'] === true)) return 'commit'
  throw new Error(`${place} must be ["collection", {document}] or {"commit": true}`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function withUuid(document: Record<string, unknown>, seconds: number): Record<string, unknown> {
  const meta = isObject(document['_meta']) ? document['_meta'] : {}
  return { ...document, _meta: { ...meta, uuid: uuidOf(seconds) } }
}

/** Of the start of 1970, in units of 100 ns since the Gregorian calendar began. */
const EPOCH = 0x01b2_1dd2_1381_4000n

/** A UUID of version 1 with a fixed producer. */
export function uuidOf(seconds: number): string {
  const hex = (EPOCH + BigInt(seconds) * 10_000_000n).toString(16).padStart(15, '0')
  return `${hex.slice(7)}-${hex.slice(3, 7)}-1${hex.slice(0, 3)}-8000-071353030311`
}

/** As `flow_published_at` shows it. */
export function publishedAt(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', '.000000000Z')
}
