/**
 * A connector as a runtime of Flow sees it: a process that is sent requests and gives responses, in either codec.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { Frames, type Codec } from '../../packages/millrace/src/materialize/wire/frames.ts'
import {
  decodeProtobuf,
  encodeProtobuf,
  type MessageObject,
} from '../../packages/millrace/src/materialize/wire/protobuf.ts'
import { stringifyExactly } from '../../packages/millrace/src/records/exact-numbers.ts'

export interface LogLine {
  readonly level: string
  readonly message: string
  readonly [field: string]: unknown
}

export interface ProcessEnd {
  /** Null when a signal ended it. */
  readonly code: number | null
  readonly logs: readonly LogLine[]
}

/** A request as it is written, frame included. */
export function encodeRequest(codec: Codec, request: Readonly<MessageObject>): Buffer {
  if (codec === 'json') return Buffer.from(`${stringifyExactly(request)}\n`)
  const body = encodeProtobuf('Request', request)
  const frame = Buffer.alloc(4)
  frame.writeUInt32LE(body.length)
  return Buffer.concat([frame, body])
}

export class ConnectorProcess {
  readonly child: ChildProcess
  readonly codec: Codec
  /** Resolves when the process has ended and its output is read. */
  readonly ended: Promise<ProcessEnd>
  readonly #responses: MessageObject[] = []
  #wake = (): void => {}
  #isOver = false

  /** @param environment added to that of this process */
  constructor(
    command: readonly [string, ...string[]],
    codec: Codec,
    environment: Readonly<Record<string, string>> = {},
  ) {
    this.codec = codec
    const [program, ...args] = command
    this.child = spawn(program, args, { env: { ...process.env, ...environment }, stdio: ['pipe', 'pipe', 'pipe'] })
    // A connector that has ended reads no more: its exit code tells why.
    this.child.stdin!.on('error', () => {})
    let stderr = ''
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const frames = new Frames(codec)
    this.child.stdout!.on('data', (chunk: Buffer) => {
      frames.push(chunk)
      while (frames.next()) this.#responses.push(this.#decode(frames))
      this.#wake()
    })
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject)
      this.child.once('close', (code) => {
        this.#isOver = true
        this.#wake()
        resolve({ code, logs: parseLogs(stderr) })
      })
    })
  }

  #decode({ bytes, start, end }: Frames): MessageObject {
    if (this.codec === 'proto') return decodeProtobuf('Response', bytes, start, end)
    return JSON.parse(bytes.toString('utf8', start, end)) as MessageObject
  }

  /** Writes a request, and waits while the process does not read. */
  async send(request: Readonly<MessageObject>): Promise<void> {
    await this.sendRaw(encodeRequest(this.codec, request))
  }

  async sendRaw(bytes: Uint8Array): Promise<void> {
    const { stdin } = this.child
    if (stdin!.write(bytes)) return
    await new Promise<void>((resolve) => {
      stdin!.once('drain', resolve)
      stdin!.once('close', resolve)
    })
  }

  /** The next response; undefined when the process has ended without another one. */
  async receive(): Promise<MessageObject | undefined> {
    while (this.#responses.length === 0 && !this.#isOver)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    return this.#responses.shift()
  }

  /** Sends a request and waits for its response. @throws {Error} with the last line of its log when it has ended */
  async call(request: Readonly<MessageObject>): Promise<MessageObject> {
    await this.send(request)
    const response = await this.receive()
    if (response !== undefined) return response
    const { code, logs } = await this.ended
    throw new Error(`The connector ended with ${code}: ${logs.at(-1)?.message ?? 'no log'}`)
  }

  /** Closes its input, and waits for its end. */
  async end(): Promise<ProcessEnd> {
    this.child.stdin!.end()
    return this.ended
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.ended
  }
}

function parseLogs(text: string): LogLine[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      try {
        return JSON.parse(line) as LogLine
      } catch {
        return { level: 'NONE', message: line }
      }
    })
}
