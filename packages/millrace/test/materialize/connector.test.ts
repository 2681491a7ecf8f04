/**
 * Sessions that need no broker: opening one does not connect, and a transaction without documents writes nothing.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { STATES, type SessionEvent, type State, TRANSITIONS } from '../../src/materialize/transitions.ts'
import type { Codec } from '../../src/materialize/wire/frames.ts'
import type { MessageObject } from '../../src/materialize/wire/protobuf.ts'
import { inputOf, responsesOf, runRequests, runSession } from '../support/connector.ts'

const FIXTURES = join(import.meta.dirname, '../fixtures/flow')
const read = (file: string): Buffer => readFileSync(join(FIXTURES, file))

const CODECS: readonly Codec[] = ['proto', 'json']

/** Nothing listens on port 9 of the loopback interface. */
const CONFIG = {
  bootstrap_servers: '127.0.0.1:9',
  message_format: 'JSON',
  topic_partitions: 1,
  topic_replication_factor: 1,
}
const BINDING = { resourceConfig: { topic: 'orders' }, fieldSelection: { keys: ['id'], values: ['name'] } }

const SPEC = { spec: { connectorType: 'LOCAL', config: {} } }
const OPEN = { open: { materialization: { name: 'acme/orders', config: CONFIG, bindings: [BINDING] }, state: {} } }
const STORE = { store: { keyPacked: 'FQE=', valuesPacked: 'AmEA' } }
const START_COMMIT = { startCommit: { runtimeCheckpoint: { sources: { a: { readThrough: '1' } } } } }
const EMPTY_TRANSACTION = [{ flush: {} }, START_COMMIT, { acknowledge: {} }]

describe('a session', () => {
  test('answers spec byte for byte as the original, in both codecs', async () => {
    expect((await runSession(read('01-spec/stdin.bin'))).output).toEqual(read('01-spec/stdout.expected.bin'))
    const { output } = await runSession(read('01-spec/stdin.jsonl'))
    expect(output).toEqual(read('01-spec/stdout.expected.jsonl'))
    expect(JSON.parse(String(output))).toEqual({ spec: JSON.parse(String(read('spec-response.json'))) as unknown })
  })

  test.each(CODECS)('answers one request after the other until the end of input: %s', async (codec) => {
    const requests = [SPEC, SPEC, OPEN, { acknowledge: {} }, ...EMPTY_TRANSACTION, ...EMPTY_TRANSACTION]
    const { responses, exitCode, logs } = await runRequests(codec, requests)
    const transaction = [{ flushed: {} }, { startedCommit: {} }, { acknowledged: {} }]
    expect(responses.slice(2)).toEqual([{ opened: {} }, { acknowledged: {} }, ...transaction, ...transaction])
    expect(exitCode).toBe(0)
    expect(logs).toMatchObject([{ level: 'INFO', message: 'connector exiting', success: 'true' }])
  })

  test.each(CODECS)('is the same whatever pieces its input arrives in: %s', async (codec) => {
    const input = inputOf(codec, [SPEC, OPEN, { acknowledge: {} }, ...EMPTY_TRANSACTION])
    const { output } = await runSession(input)
    for (const pieces of [1, 2, 7, 100]) expect((await runSession(input, { pieces })).output).toEqual(output)
  })

  test.each(CODECS)('ends with 0 wherever its input ends, with whole responses only: %s', async (codec) => {
    const requests = [SPEC, OPEN, { acknowledge: {} }, { flush: {} }, STORE, STORE]
    const input = inputOf(codec, requests)
    const whole = (await runSession(input)).responses
    expect(whole.length).toBe(4)
    for (let length = 0; length < input.length; length += length < 100 ? 1 : 13) {
      const { exitCode, output, last } = await runSession(input.subarray(0, length))
      expect({ length, exitCode, last }).toEqual({ length, exitCode: 0, last: 'connector exiting' })
      expect(whole.slice(0, responsesOf(output).length)).toEqual(responsesOf(output))
    }
  })

  test('ends with 0 at once while documents wait for a broker that is down', async () => {
    const { exitCode } = await runRequests('proto', [OPEN, { acknowledge: {} }, { flush: {} }, STORE])
    expect(exitCode).toBe(0)
  })

  test('uses the codec of FLOW_RUNTIME_CODEC, and refuses another one', async () => {
    expect((await runSession(read('01-spec/stdin.jsonl'), { codec: 'json' })).exitCode).toBe(0)
    expect(await runSession(read('01-spec/stdin.jsonl'), { codec: 'proto' })).toMatchObject({ exitCode: 1 })
    expect(await runSession(read('01-spec/stdin.jsonl'), { codec: 'yaml' })).toMatchObject({
      exitCode: 1,
      last: 'Cannot use FLOW_RUNTIME_CODEC "yaml" as it must be "json" or "proto"',
    })
  })

  test('logs JSON, and the error last', async () => {
    const { logs } = await runRequests('json', [{ flush: {} }])
    expect(logs).toMatchObject([
      { level: 'INFO', message: 'connector exiting', success: 'false' },
      { level: 'ERROR', message: 'invalid request, expected spec|validate|apply|open: received flush' },
    ])
    expect(logs[0]!['timestamp']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  })

  test.each([
    { level: 'error', messages: [] },
    { level: 'warn', messages: [] },
    { level: 'debug', messages: ['connector run successful', 'connector exiting'] },
    { level: 'millrace=debug', messages: ['connector exiting'] },
  ])('logs as LOG_LEVEL $level says', async ({ level, messages }) => {
    expect((await runRequests('json', [SPEC], level)).logs.map(({ message }) => message)).toEqual(messages)
  })
})

describe('a store request', () => {
  const open = [OPEN, { acknowledge: {} }, { flush: {} }]
  test.each([
    {
      name: 'of a binding that is not there',
      store: { binding: 1, keyPacked: 'FQE=' },
      problem: 'document of binding 1 as the materialization has 1 bindings',
    },
    {
      name: 'with too few values',
      store: { keyPacked: 'FQE=' },
      problem: '1 key elements, 0 values and no root document as its binding has 1, 1 and none',
    },
    {
      name: 'with too many values',
      store: { keyPacked: 'FQE=', valuesPacked: 'AmEAAmEA' },
      problem: '1 key elements, 2 values',
    },
    {
      name: 'with a document that is not selected',
      store: { keyPacked: 'FQE=', valuesPacked: 'AmEA', doc: {} },
      problem: 'a root document as its binding has',
    },
    { name: 'without a key', store: { valuesPacked: 'AmEA' }, problem: '0 key elements' },
    {
      name: 'with a malformed tuple',
      store: { keyPacked: 'FQE=', valuesPacked: 'AmE=' },
      problem: 'packed tuple as it is truncated',
    },
    {
      name: 'with an object that is no JSON',
      store: { keyPacked: 'FQE=', valuesPacked: 'AXthAA==' },
      problem: 'Cannot decode a JSON message',
    },
    {
      name: 'with a string that is not UTF-8',
      store: { keyPacked: 'FQE=', valuesPacked: 'Av8A' },
      problem: 'not UTF-8',
    },
  ])('$name ends the session with a message', async ({ store, problem }) => {
    for (const codec of CODECS) {
      const { exitCode, last } = await runRequests(codec, [...open, { store }])
      expect({ codec, exitCode, last }).toEqual({ codec, exitCode: 1, last: expect.stringContaining(problem) })
    }
  })
})

describe('a message', () => {
  test.each([
    {
      name: 'that is no JSON',
      input: '{"spec":}\n',
      problem: 'Cannot decode a JSON message as byte 0x7d is not expected',
    },
    { name: 'that is no object', input: '{}[]\n', problem: 'is not expected' },
    { name: 'with two requests', input: '{"spec":{},"flush":{}}\n', problem: 'two requests, spec and flush' },
    { name: 'of no kind', input: '{}\n', problem: 'received a request of unknown kind' },
    { name: 'of an unknown kind before open', input: '{"unload":{}}\n', problem: 'received a request of unknown kind' },
  ])('$name ends the session', async ({ input, problem }) => {
    expect(await runSession(Buffer.from(input), { codec: 'json' })).toMatchObject({
      exitCode: 1,
      last: expect.stringContaining(problem) as string,
    })
  })

  test('may hold what belongs to the runtime, and fields of a newer one', async () => {
    const input = [
      '{"$internal":"AAAA","spec":{"connectorType":"IMAGE","config":{},"newer":1}}',
      `{"open":${JSON.stringify(OPEN.open)},"$internal":"AAAA"}`,
      '{"acknowledge":{"statePatches":[]}}',
      '{"load":{"key":[1]}}',
      '{"unload":{}}',
      '{ "flush" : { "backfillBegins" : [] } }',
      '{"start_commit":{"runtime_checkpoint":null}}',
    ].join('\n')
    const { responses, exitCode } = await runSession(Buffer.from(input))
    expect(exitCode).toBe(0)
    expect(responses.slice(1)).toEqual([{ opened: {} }, { acknowledged: {} }, { flushed: {} }, { startedCommit: {} }])
  })
})

/** The whole truth: what each request does in each state. `answer` is the response; see docs/materialize.md for the prose. */
const TRUTH: Record<State, Record<SessionEvent, string>> = {
  unopened: {
    spec: 'spec → unopened',
    validate: 'validated → unopened',
    apply: 'applied → unopened',
    open: 'opened → recovering',
    load: 'refused',
    flush: 'refused',
    store: 'refused',
    startCommit: 'refused',
    acknowledge: 'refused',
    unknown: 'refused',
  },
  recovering: {
    spec: 'refused',
    validate: 'refused',
    apply: 'refused',
    open: 'refused',
    load: 'ignored',
    flush: 'flushed → storing',
    store: 'refused',
    startCommit: 'refused',
    acknowledge: 'acknowledged → loading',
    unknown: 'ignored',
  },
  loading: {
    spec: 'refused',
    validate: 'refused',
    apply: 'refused',
    open: 'refused',
    load: 'ignored',
    flush: 'flushed → storing',
    store: 'refused',
    startCommit: 'refused',
    acknowledge: 'acknowledged → loading',
    unknown: 'ignored',
  },
  storing: {
    spec: 'refused',
    validate: 'refused',
    apply: 'refused',
    open: 'refused',
    load: 'refused',
    flush: 'refused',
    store: 'no response → storing',
    startCommit: 'startedCommit → committed',
    acknowledge: 'refused',
    unknown: 'ignored',
  },
  committed: {
    spec: 'refused',
    validate: 'refused',
    apply: 'refused',
    open: 'refused',
    load: 'refused',
    flush: 'refused',
    store: 'refused',
    startCommit: 'refused',
    acknowledge: 'acknowledged → loading',
    unknown: 'ignored',
  },
}

describe('the table of the session', () => {
  /** Requests that lead to a state. */
  const WAYS: Record<State, readonly MessageObject[]> = {
    unopened: [],
    recovering: [OPEN],
    loading: [OPEN, { acknowledge: {} }],
    storing: [OPEN, { acknowledge: {} }, { flush: {} }],
    committed: [OPEN, { acknowledge: {} }, { flush: {} }, START_COMMIT],
  }

  /** A request of each kind that succeeds without a broker. */
  const REQUESTS: Partial<Record<SessionEvent, MessageObject>> = {
    spec: SPEC,
    open: OPEN,
    load: { load: { keyPacked: 'FQE=' } },
    flush: { flush: {} },
    store: STORE,
    startCommit: START_COMMIT,
    acknowledge: { acknowledge: {} },
    unknown: { unload: {} },
  }

  const cells = STATES.flatMap((state) =>
    Object.keys(TRUTH[state]).map((event) => ({ state, event: event as SessionEvent })),
  )

  test.each(cells)('$state: $event', async ({ state, event }) => {
    const truth = TRUTH[state][event]
    const [outcome, after] = truth.split(' → ')
    expect(TRANSITIONS[state][event]).toBe(after ?? (outcome === 'ignored' ? 'ignore' : 'refuse'))
    // These two need a broker where they are not refused; materialize.integration.test.ts has them.
    const request = REQUESTS[event] ?? { [event]: {} }
    if (after !== undefined && REQUESTS[event] === undefined) return
    const way = WAYS[state]
    const { responses, exitCode, last } = await runSession(inputOf('json', [...way, request]))
    const answers = responses.length - way.length
    if (outcome === 'refused') {
      expect({ exitCode, answers }).toEqual({ exitCode: 1, answers: 0 })
      expect(last).toContain(`received ${event === 'unknown' ? 'a request of unknown kind' : event}`)
    } else {
      expect(exitCode).toBe(0)
      const isSilent = outcome === 'ignored' || outcome === 'no response'
      expect(responses.slice(way.length).map((response) => Object.keys(response))).toEqual(isSilent ? [] : [[outcome]])
    }
  })
})
