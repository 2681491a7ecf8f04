/** The connector of materialize/ in this process: a session of requests, and what it answers. */
import { encodeRequest, type LogLine } from '../../../../demo/flow/connector-process.ts'
import { runConnector } from '../../src/materialize/connector.ts'
import { Logs } from '../../src/materialize/logs.ts'
import type { Codec } from '../../src/materialize/wire/frames.ts'
import { Frames } from '../../src/materialize/wire/frames.ts'
import { decodeProtobuf, type MessageObject } from '../../src/materialize/wire/protobuf.ts'

export interface SessionResult {
  readonly exitCode: 0 | 1
  readonly responses: readonly MessageObject[]
  /** What was written, as it was written. */
  readonly output: Buffer
  readonly logs: readonly LogLine[]
  /** Text of the last line of the log. */
  readonly last: string
}

/** Runs a session on the bytes of its input, which arrive in pieces of some size. */
export async function runSession(
  input: Uint8Array,
  {
    pieces = input.length || 1,
    codec,
    level,
  }: { readonly pieces?: number; readonly codec?: string; readonly level?: string } = {},
): Promise<SessionResult> {
  const lines: string[] = []
  const written: Uint8Array[] = []
  const exitCode = await runConnector({
    input: piecesOf(input, pieces),
    write: async (bytes) => void written.push(bytes),
    logs: new Logs((line) => lines.push(line), level),
    codec,
  })
  const output = Buffer.concat(written)
  const logs = lines.map((line) => JSON.parse(line) as LogLine)
  return { exitCode, responses: responsesOf(output), output, logs, last: logs.at(-1)?.message ?? '' }
}

/** Runs a session of requests. */
export function runRequests(codec: Codec, requests: readonly MessageObject[], level?: string): Promise<SessionResult> {
  return runSession(inputOf(codec, requests), level === undefined ? {} : { level })
}

export function inputOf(codec: Codec, requests: readonly MessageObject[]): Buffer {
  return Buffer.concat(requests.map((request) => encodeRequest(codec, request)))
}

async function* piecesOf(input: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < input.length; at += size) yield input.subarray(at, at + size)
}

export function responsesOf(output: Buffer): MessageObject[] {
  const frames = new Frames(undefined)
  const responses: MessageObject[] = []
  frames.push(output)
  while (frames.next()) {
    const { bytes, start, end } = frames
    responses.push(
      frames.codec === 'proto'
        ? decodeProtobuf('Response', bytes, start, end)
        : (JSON.parse(bytes.toString('utf8', start, end)) as MessageObject),
    )
  }
  return responses
}
