/**
 * Sinks whose output is written when all rows are there: a file that appears complete or not at all, or standard output.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { FunctionContext } from '../../contracts/functions.ts'
import type { Sink, SinkProgress } from '../../contracts/sink.ts'
import type { Batch } from '../../records/batch.ts'
import type { FileError } from '../../errors/index.ts'
import { unwritable } from '../../errors/unwritable.ts'
import { syncFolder } from '../../sinks/sync-folder.ts'
import { writeOut } from '../../sinks/standard-output.ts'
import type { RowFormat } from './row-text.ts'
import { type FailedRows, throwFailed } from './row-texts.ts'
import { Spool } from './spool.ts'

/** What these sinks look at of their context. */
export type RowSinkContext = Pick<FunctionContext, 'collectsFailures'>

abstract class SpooledSink implements Sink {
  readonly valueCodec = 'json'
  readonly includeMeta = false
  readonly needsDocuments = true
  readonly writesRecordBatches = false
  // Records must not be committed before their rows are where the user looks for them (I1).
  readonly completesAtEnd = true
  abstract readonly partitions: string
  protected readonly spool: Spool
  protected readonly format: RowFormat

  readonly #collectsFailures: boolean

  constructor(spool: Spool, format: RowFormat, { collectsFailures }: RowSinkContext) {
    this.spool = spool
    this.format = format
    this.#collectsFailures = collectsFailures
  }
  open(_signal: AbortSignal): Promise<void> {
    return this.spool.open()
  }
  async write(batch: Batch): Promise<void> {
    const failures: FailedRows | undefined = this.#collectsFailures ? new Map() : undefined
    await this.spool.append(batch, failures)
    throwFailed(batch, failures)
  }
  abstract flush(signal: AbortSignal): Promise<void>
  close(): Promise<void> {
    return this.spool.remove()
  }
  progress(): SinkProgress {
    return { records: this.spool.count, bytes: this.spool.bytes }
  }
}

/** Writes a file. What was there is replaced at the end of the run, at once. */
export class RowFile extends SpooledSink {
  readonly partitions = 'all rows go to one file, which is replaced at the end of the run'
  readonly #path: string

  constructor(path: string, format: RowFormat, context: RowSinkContext) {
    super(new Spool(`${path}.${uniqueSuffix()}.rows`), format, context)
    this.#path = path
  }

  override async open(): Promise<void> {
    try {
      await mkdir(dirname(this.#path), { recursive: true })
      await this.spool.open()
    } catch (error) {
      throw this.#unwritable(error)
    }
  }

  override async write(batch: Batch): Promise<void> {
    await super.write(batch).catch((error: unknown) => {
      throw (error as NodeJS.ErrnoException).syscall === undefined ? error : this.#unwritable(error)
    })
  }

  async flush(): Promise<void> {
    const part = `${this.#path}.${uniqueSuffix()}.part`
    try {
      const handle = await open(part, 'w')
      try {
        await handle.writeFile(inPieces(this.format(this.spool)))
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(part, this.#path)
      await syncFolder(dirname(this.#path))
    } catch (error) {
      await rm(part, { force: true }).catch(() => {})
      throw this.#unwritable(error)
    }
  }

  #unwritable(error: unknown): FileError {
    return unwritable(`"${this.#path}"`, error)
  }
}

/** Writes to standard output at the end of the run. */
export class RowOutput extends SpooledSink {
  readonly partitions = 'all rows go to standard output, at the end of the run'

  /** @param limit rows that are written at the most */
  constructor(format: RowFormat, limit: number | undefined, context: RowSinkContext) {
    super(new Spool(join(tmpdir(), `millrace-${uniqueSuffix()}.rows`), limit), format, context)
  }

  async flush(): Promise<void> {
    let last = ''
    for await (const text of inPieces(this.format(this.spool))) {
      await writeOut(text)
      last = text
    }
    if (last !== '' && !last.endsWith('\n')) await writeOut('\n')
  }
}

const PIECE = 65_536

/** Joins small pieces, so that each is worth a call. */
async function* inPieces(texts: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
  let piece = ''
  for await (const text of texts) {
    piece += text
    if (piece.length < PIECE) continue
    yield piece
    piece = ''
  }
  if (piece !== '') yield piece
}

function uniqueSuffix(): string {
  return randomBytes(6).toString('hex')
}
