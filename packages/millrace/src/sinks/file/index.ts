/**
 * Writes a file of JSON lines, one line per record: its value, or `null` for a tombstone.
 *
 * A value that no stage changed is copied as it is, except that line breaks between its parts become spaces.
 */
import { counted } from '../../options/units.ts'
import { access, constants, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Sink, SinkProgress } from '../../contracts/sink.ts'
import type { Check } from '../../contracts/source.ts'
import { FIELDS, VALUE, VALUE_LENGTH, type Batch, type Payload } from '../../records/batch.ts'
import { defineSink } from '../../contracts/definitions.ts'
import { BatchError, EncodeError, type MillraceError } from '../../errors/index.ts'
import { unwritable } from '../../errors/unwritable.ts'
import { fileAt } from '../file-at.ts'
import { fileSinkDefinition } from './options.ts'
import { LineFile, type LineFileOptions } from '../line-file.ts'

export const fileSink = defineSink({
  ...fileSinkDefinition,
  create: ({ path, mode, includeMeta }, context) =>
    new FileSink(
      { path: fileAt(path, context, '.jsonl'), replaces: mode === 'overwrite', warn: context.warn },
      includeMeta,
    ),
})

const LINE_FEED = 10
const SPACE = 32
const NULL = Buffer.from('null')

class FileSink implements Sink {
  readonly valueCodec = 'json'
  readonly writesRecordBatches = false
  readonly partitions = 'all records go to one file, in the order in which their batches arrive'
  readonly includeMeta: boolean
  readonly needsDocuments = false
  readonly #path: string
  readonly #file: LineFile
  #records = 0

  constructor(options: LineFileOptions, includeMeta: boolean) {
    this.includeMeta = includeMeta
    this.#path = options.path
    this.#file = new LineFile(options)
  }

  async open(): Promise<void> {
    await this.#file.open()
  }

  checks(): readonly Check[] {
    return [{ name: 'file', run: async () => this.#writable() }]
  }

  async write(batch: Batch): Promise<void> {
    // The lines are made now, in the order of the calls, and wait for their turn as bytes.
    const failures = new Map<number, MillraceError>()
    await this.#file.append(linesOf(batch, failures))
    this.#records += batch.length - failures.size
    if (failures.size > 0)
      throw new BatchError(
        `Cannot write ${failures.size} of ${counted(batch.length, 'record')} to "${this.#path}"`,
        failures,
      )
  }

  async flush(): Promise<void> {
    await this.#file.flush()
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  progress(): SinkProgress {
    return { records: this.#records, bytes: this.#file.bytes }
  }

  /** Finds out without making anything: folders that are missing would be made in the closest one that is there. */
  async #writable(): Promise<string> {
    try {
      const found = await stat(this.#path).catch(() => undefined)
      if (found?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' })
      let place = this.#path
      while ((await stat(place).catch(missing)) === undefined) place = dirname(place)
      await access(place, constants.W_OK)
      return `"${this.#path}" ${found === undefined ? 'can be made' : `has ${found.size.toLocaleString('en-US')} bytes and can be written`}`
    } catch (error) {
      throw unwritable(`"${this.#path}"`, error)
    }
  }
}

function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

/** The lines of a batch. Rows that cannot be a line are left out and put into `failures`. */
function linesOf(batch: Batch, failures: Map<number, MillraceError>): Buffer {
  const { bytes, fields } = batch.records
  const payloads = batch.payloads
  const rows = batch.length
  let size = 0
  for (let row = 0; row < rows; row++) {
    const payload = payloads?.[row]
    size +=
      1 +
      (payload === undefined
        ? Math.max(NULL.length, fields[batch.recordOf(row) * FIELDS + VALUE_LENGTH]!)
        : sizeOf(payload))
  }
  const lines = Buffer.allocUnsafe(size)
  const ends = new Int32Array(rows)
  let count = 0
  let end = 0
  for (let row = 0; row < rows; row++) {
    const start = end
    const payload = payloads?.[row]
    if (payload === undefined) {
      const at = batch.recordOf(row) * FIELDS
      const length = fields[at + VALUE_LENGTH]!
      end +=
        length < 0 ? NULL.copy(lines, end) : bytes.copy(lines, end, fields[at + VALUE], fields[at + VALUE]! + length)
    } else {
      end +=
        payload === null
          ? NULL.copy(lines, end)
          : typeof payload === 'string'
            ? lines.write(payload, end)
            : payload.copy(lines, end)
    }
    if (end === start) {
      const origin = { topic: batch.topic, partition: batch.partition, offset: batch.offset(row), component: 'file' }
      failures.set(
        row,
        new EncodeError(
          `Cannot write offset ${origin.offset} of "${batch.topic}" partition ${batch.partition} as a line of JSON: its value is empty`,
          origin,
        ),
      )
      continue
    }
    ends[count++] = end
    lines[end++] = LINE_FEED
  }
  joinLines(lines, ends, count)
  return lines.subarray(0, end)
}

/** Makes spaces of the line breaks inside values, which JSON allows between its parts only. */
function joinLines(lines: Buffer, ends: Int32Array, count: number): void {
  let line = 0
  for (let at = lines.indexOf(LINE_FEED); line < count; at = lines.indexOf(LINE_FEED, at + 1)) {
    if (at === ends[line]) line++
    else lines[at] = SPACE
  }
}

function sizeOf(payload: Payload): number {
  return payload === null ? NULL.length : typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length
}
