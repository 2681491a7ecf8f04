/**
 * Sources of rows that are read from text: files and standard input.
 */
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import type { FunctionContext } from '../../contracts/functions.ts'
import type { Source, SourceProgress } from '../../contracts/source.ts'
import type { Batch } from '../../records/batch.ts'
import { unreadable } from '../../errors/unreadable.ts'
import { batchOfRows, syntheticOrigin } from './batches.ts'
import { readRows, type ReadOptions } from './read-rows.ts'

/** Reads a stream of text to its end, or until it is asked to stop. */
export abstract class TextRows implements Source {
  readonly valueCodec = 'json'
  readonly readsRecordBatches = false
  readonly commits: string = 'nothing: every run reads from the beginning'
  protected readonly what: string
  readonly #options: ReadOptions
  #records = 0
  #bytes = 0

  constructor(what: string, options: ReadOptions) {
    this.what = what
    this.#options = options
  }

  abstract open(signal: AbortSignal): Promise<void>
  /** @param signal when to end, for a stream that would not end by itself */
  protected abstract stream(signal: AbortSignal): Readable

  /** Whether another text has taken the place of one that has ended. */
  protected get isReadAgain(): boolean {
    return false
  }

  async *batches(signal: AbortSignal): AsyncGenerator<Batch, void, undefined> {
    do yield* this.#readText(signal)
    while (this.isReadAgain && !signal.aborted)
  }

  async *#readText(signal: AbortSignal): AsyncGenerator<Batch, void, undefined> {
    // Nobody may want more before the stream has ended.
    const ended = new AbortController()
    const stream = this.stream(AbortSignal.any([signal, ended.signal]))
    const stop = (): void => void stream.destroy()
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) return stop()
    const origin = syntheticOrigin(this.what)
    stream.on('data', (chunk: Buffer | string) => (this.#bytes += chunk.length))
    // Until it is read: loading what parses it may take longer than its first bytes.
    stream.pause()
    try {
      for await (const { rows, ...more } of readRows(stream, this.what, this.#options)) {
        const firstOffset = this.#records
        this.#records += rows.length
        yield batchOfRows(rows, { origin, firstOffset, ...more })
      }
    } catch (error) {
      // A stream that is destroyed in the midst of reading says so; nobody has to know.
      if (!signal.aborted) throw error
    } finally {
      signal.removeEventListener('abort', stop)
      ended.abort()
      stream.destroy()
    }
  }

  progress(): SourceProgress {
    return { records: this.#records, bytes: this.#bytes, lag: undefined }
  }
  async close(): Promise<void> {}
}

/** Rows of a file. */
export class FileRows extends TextRows {
  readonly #component: string
  readonly #candidates: readonly string[]
  #path = ''

  constructor(component: string, path: string, options: ReadOptions, { folders }: Pick<FunctionContext, 'folders'>) {
    super(path, options)
    this.#component = component
    this.#candidates = folders.map((folder) => resolve(folder, path))
  }

  async open(): Promise<void> {
    let failure: unknown
    for (const path of this.#candidates) {
      try {
        const handle = await open(path, 'r')
        const isFolder = (await handle.stat()).isDirectory()
        await handle.close()
        if (isFolder) throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' })
        this.#path = path
        return
      } catch (error) {
        failure ??= error
      }
    }
    throw unreadable(`"${this.#candidates[0]}" for ${this.#component}`, failure)
  }

  protected stream(): Readable {
    return createReadStream(this.#path)
  }
}

/** Rows of standard input. */
export class InputRows extends TextRows {
  override readonly commits = 'nothing: standard input is read once'

  constructor(options: ReadOptions) {
    super('standard input', options)
  }
  async open(): Promise<void> {}
  protected stream(): Readable {
    return process.stdin
  }
}
