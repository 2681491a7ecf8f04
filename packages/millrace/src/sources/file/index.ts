/**
 * Reads a file of JSON lines.
 *
 * The file is streamed: each batch holds one piece of it and the positions of the lines in it, so that lines that no
 * stage looks at are never copied or parsed. The offset of a record is the number of its line, from 1. Nothing is
 * committed: a run always begins at the first line.
 */
import { open, type FileHandle } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Check, Source, SourceProgress } from '../../contracts/source.ts'
import { NO_ACKNOWLEDGEMENT } from '../../records/acknowledgement.ts'
import { Batch, type BatchOrigin, type LocatedRecords } from '../../records/batch.ts'
import { defineSource } from '../../contracts/definitions.ts'
import { AbortedError, DecodeError } from '../../errors/index.ts'
import { unreadable } from '../../errors/unreadable.ts'
import { LocatedRecordsBuilder, storageOfLocated } from '../../records/located-records-builder.ts'
import { fileSourceDefinition } from './options.ts'

export const fileSource = defineSource({
  ...fileSourceDefinition,
  create: ({ path, maxLineBytes }, { directory }) => new FileSource(resolve(directory, path), maxLineBytes),
})

const CHUNK_BYTES = 262_144
const LINE_FEED = 10
const CARRIAGE_RETURN = 13
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

class FileSource implements Source {
  readonly valueCodec = 'json'
  readonly readsRecordBatches = false
  readonly commits = 'nothing: every run reads the file from the beginning'
  readonly #path: string
  readonly #maxLineBytes: number
  readonly #origin: BatchOrigin
  #handle: FileHandle | undefined
  /** Lines behind us, blank ones included. */
  #lines = 0
  #records = 0
  #bytes = 0

  constructor(path: string, maxLineBytes: number) {
    this.#path = path
    this.#maxLineBytes = maxLineBytes
    this.#origin = { component: 'file', topic: path, partition: 0, partitionCount: 1, timestampType: 'CreateTime' }
  }

  async open(): Promise<void> {
    try {
      this.#handle = await open(this.#path, 'r')
      if ((await this.#handle.stat()).isDirectory())
        throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' })
    } catch (error) {
      throw unreadable(`"${this.#path}"`, error)
    }
  }

  checks(): readonly Check[] {
    return [
      {
        name: 'file',
        run: async () => (await this.open(), `${(await this.#handle!.stat()).size.toLocaleString('en-US')} bytes`),
      },
    ]
  }

  async *batches(signal: AbortSignal): AsyncGenerator<Batch, void, undefined> {
    // The part of a line that a piece of the file ended in.
    let rest: Buffer = Buffer.alloc(0)
    while (!signal.aborted) {
      const chunk = await this.#read(rest)
      const isLast = chunk.length === rest.length
      const end = isLast ? chunk.length : chunk.lastIndexOf(LINE_FEED) + 1
      if (end > 0) {
        const records = this.#locate(chunk, end)
        if (records.count > 0) yield new Batch(this.#origin, storageOfLocated(records), NO_ACKNOWLEDGEMENT)
      }
      if (isLast) return
      rest = chunk.subarray(end)
      if (rest.length > this.#maxLineBytes) throw this.#tooLong(this.#lines + 1)
    }
  }

  progress(): SourceProgress {
    return { records: this.#records, bytes: this.#bytes, lag: undefined }
  }

  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  /** The rest of the last piece and the next bytes of the file, in a buffer of their own, as a batch keeps it. */
  async #read(rest: Buffer): Promise<Buffer> {
    if (this.#handle === undefined) throw new AbortedError(`Reading "${this.#path}"`)
    // Doubling keeps a long line from being copied over and over.
    const buffer = Buffer.allocUnsafeSlow(rest.length + Math.max(CHUNK_BYTES, rest.length))
    rest.copy(buffer)
    try {
      const { bytesRead } = await this.#handle.read(buffer, rest.length, buffer.length - rest.length)
      const isStart = this.#bytes === 0 && rest.length === 0
      this.#bytes += bytesRead
      const chunk = buffer.subarray(0, rest.length + bytesRead)
      return isStart && chunk.subarray(0, 3).equals(BYTE_ORDER_MARK) ? chunk.subarray(3) : chunk
    } catch (error) {
      throw unreadable(`"${this.#path}"`, error)
    }
  }

  #locate(bytes: Buffer, end: number): LocatedRecords {
    const records = new LocatedRecordsBuilder(Math.ceil(end / 64) + 16)
    for (let start = 0; start < end;) {
      let next = bytes.indexOf(LINE_FEED, start)
      if (next < 0 || next > end) next = end
      this.#lines++
      const last = bytes[next - 1] === CARRIAGE_RETURN && next > start ? next - 1 : next
      if (last - start > this.#maxLineBytes) throw this.#tooLong(this.#lines)
      if (!isBlank(bytes, start, last)) records.addValue(this.#lines, start, last)
      start = next + 1
    }
    this.#records += records.count
    return records.finish(bytes)
  }

  #tooLong(line: number): DecodeError {
    return new DecodeError(
      'value',
      `Cannot read line ${line} of "${this.#path}" as it is longer than maxLineBytes: the limit is ${this.#maxLineBytes}`,
      {
        topic: this.#path,
        partition: 0,
        offset: BigInt(line),
        component: 'file',
      },
    )
  }
}

function isBlank(bytes: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    if (byte !== 32 && byte !== 9 && byte !== CARRIAGE_RETURN) return false
  }
  return true
}
