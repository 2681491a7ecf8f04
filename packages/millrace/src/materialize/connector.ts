/**
 * The connector `materialize-kafka` of Estuary Flow as a process: requests on standard input, responses on standard output,
 * logs on standard error. It runs until the end of input.
 *
 * The way of a request: `wire/frames.ts` cuts the input into messages → `wire/requests.ts` reads one → `session.ts` decides what it
 * means, and answers → for documents, `transactor.ts` → `records/` → the producer.
 */
import { ConfigError, isMillraceError } from '../errors/index.ts'
import type { Logs } from './logs.ts'
import { Session } from './session.ts'
import { type Codec, Frames } from './wire/frames.ts'
import { encodeResponse, type RequestReader, requestReader } from './wire/requests.ts'

export interface ConnectorOptions {
  /** Input, in pieces of any size. Reading the next one is backpressure. */
  readonly input: AsyncIterable<Uint8Array>
  /** Writes to the output; resolves when that may go on. */
  readonly write: (bytes: Uint8Array) => Promise<void>
  readonly logs: Logs
  /** `FLOW_RUNTIME_CODEC`; found by the first byte when undefined. */
  readonly codec: string | undefined
}

/**
 * Runs a session to its end. What fails is logged, last.
 * @returns the exit code: 0 at the end of input, 1 after a failure
 */
export async function runConnector({ input, write, logs, codec }: ConnectorOptions): Promise<0 | 1> {
  let session: Session | undefined
  try {
    const frames = new Frames(codecOf(codec))
    session = new Session(logs, (response) => write(encodeResponse(frames.codec ?? 'proto', response)))
    await handleAll(input, frames, session)
    await session.close()
    logs.debug('connector run successful')
    logs.info('connector exiting', { success: 'true' })
    return 0
  } catch (error) {
    await session?.close().catch(() => {})
    logs.info('connector exiting', { success: 'false' })
    logs.error(error instanceof Error ? error.message : String(error), fieldsOf(error))
    return 1
  }
}

async function handleAll(input: AsyncIterable<Uint8Array>, frames: Frames, session: Session): Promise<void> {
  let reader: RequestReader | undefined
  const handleNext = (): Promise<void> | undefined => {
    reader ??= requestReader(frames.codec!)
    return session.handle(reader.kindOf(frames.bytes, frames.start, frames.end), reader)
  }
  for await (const chunk of input) {
    frames.push(chunk)
    while (frames.next()) {
      const answered = handleNext()
      if (answered !== undefined) await answered
    }
    await session.pause()
  }
  if (frames.last()) await handleNext()
}

/** @throws {ConfigError} */
function codecOf(text: string | undefined): Codec | undefined {
  if (text === undefined || text === '') return undefined
  if (text === 'json' || text === 'proto') return text
  throw new ConfigError(`Cannot use FLOW_RUNTIME_CODEC "${text}" as it must be "json" or "proto"`)
}

function fieldsOf(error: unknown): Record<string, unknown> {
  if (isMillraceError(error) && error.code !== 'UNEXPECTED') return { code: error.code }
  const isDebugging = process.env['MILLRACE_DEBUG'] === '1'
  return { code: 'UNEXPECTED', ...(isDebugging && error instanceof Error ? { stack: error.stack } : {}) }
}
