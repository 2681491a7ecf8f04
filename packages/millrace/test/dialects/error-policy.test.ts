import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readPipelineFile, readPlan, type PipelineFile } from '../../src/dialects/index.ts'
import type { PipelinePlan } from '../../src/engine/plan.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-policy-'))
})
afterAll(() => rm(directory, { recursive: true }))

const KAFKA = `
source: { type: kafka, options: { topic: orders, bootstrapServers: "k1:9092,k2:9092", groupId: g } }
sink: { type: kafka, options: { topic: orders-out, bootstrapServers: "out:9093", securityProtocol: SASL_SSL, saslMechanism: PLAIN, saslUsername: u, saslPassword: p } }
`

async function write(text: string, ending = 'yaml'): Promise<string> {
  const file = join(directory, `one.${ending}`)
  await writeFile(file, text)
  return file
}

/** The plan of a file without problems. */
async function planOf(text: string, ending?: string): Promise<PipelinePlan> {
  return readPlan(await write(text, ending), {})
}

async function read(text: string): Promise<PipelineFile> {
  return readPipelineFile(await write(text), {})
}

const RETRY = { maxRetries: 3, backoff: { initialMs: 100, maxMs: 30_000, multiplier: 2, jitter: 0.2 } }

describe('an error policy', () => {
  test.each([
    { text: '', want: { retry: undefined, fate: 'fail' } },
    { text: 'errorPolicy: failFast', want: { retry: undefined, fate: 'fail' } },
    { text: 'errorPolicy: stop', want: { fate: 'fail' } },
    { text: 'errorPolicy: skip', want: { retry: undefined, fate: 'skip' } },
    { text: 'errorPolicy: skipAndContinue', want: { fate: 'skip' } },
    { text: 'errorPolicy: {type: continue}', want: { fate: 'skip' } },
    { text: 'error_handling: {strategy: continue}', want: { fate: 'skip' } },
    { text: 'errorPolicy: retry', want: { retry: RETRY, fate: 'fail' } },
    { text: 'errorPolicy: {type: retry, maxRetries: 7}', want: { retry: { ...RETRY, maxRetries: 7 }, fate: 'fail' } },
    { text: 'errorPolicy: {type: retry, maxAttempts: 7}', want: { retry: { ...RETRY, maxRetries: 6 } } },
    { text: 'errorPolicy: {type: retry, maxAttempts: 1}', want: { retry: undefined } },
    { text: 'errorPolicy: {type: retry, onExhausted: skip}', want: { retry: RETRY, fate: 'skip' } },
    { text: 'errorPolicy: {type: skip, maxRetries: 3}', want: { retry: RETRY, fate: 'skip' } },
    {
      text: 'errorPolicy: {type: retry, initialBackoff: PT1S, multiplier: 3, maxBackoff: PT20S, jitter: 0}',
      want: { retry: { maxRetries: 3, backoff: { initialMs: 1000, maxMs: 20_000, multiplier: 3, jitter: 0 } } },
    },
    {
      text: 'error_handling: {strategy: retry, max_retries: 2, retry_delay_seconds: 5}',
      want: {
        retry: { maxRetries: 2, backoff: { initialMs: 5000, maxMs: 5000, multiplier: 1, jitter: 0 } },
        fate: 'fail',
      },
    },
    {
      text: 'error_handling: {strategy: stop, dead_letter_queue: {enabled: false, path: dead.jsonl}}',
      want: { fate: 'fail', deadLetters: undefined },
    },
    {
      text: 'error_handling: {strategy: continue, dead_letter_queue: {enabled: true, path: dead.jsonl}}',
      want: {
        fate: 'deadLetter',
        deadLetters: { envelope: 'json', sink: { component: 'file', options: { path: 'dead.jsonl' } } },
      },
    },
    {
      text: 'error_handling: {strategy: continue, dead_letter_queue: {enabled: true, path: errors/}}',
      want: { deadLetters: { sink: { component: 'file', options: { path: 'errors/dead-letters.jsonl' } } } },
    },
    {
      text: 'errorPolicy: {deadLetter: {type: file, options: {path: dead.jsonl}}, envelope: conveyor}',
      want: { fate: 'deadLetter', deadLetters: { envelope: 'conveyor' } },
    },
    // What the sink and the block both set was refused, when the block spelled it as Kafka does.
    {
      text: 'errorPolicy: {deadLetter: {topic: dead, security.protocol: SASL_PLAINTEXT, sasl.mechanism: SCRAM-SHA-256}}',
      want: {
        deadLetters: {
          sink: { options: { topic: 'dead', securityProtocol: 'SASL_PLAINTEXT', saslMechanism: 'SCRAM-SHA-256' } },
        },
      },
    },
    {
      text: 'errorPolicy: {type: retry, deadLetter: dead}',
      want: {
        retry: RETRY,
        fate: 'deadLetter',
        deadLetters: { envelope: 'headers', sink: { component: 'kafka', options: { topic: 'dead', acks: 'all' } } },
      },
    },
    {
      text: 'errorPolicy: {type: deadLetter, deadLetter: {topic: dead, acks: "1"}, envelope: rivven}',
      want: { deadLetters: { envelope: 'rivven', sink: { options: { topic: 'dead', acks: '1' } } } },
    },
  ])('$text', async ({ text, want }) => {
    expect((await planOf(`${KAFKA}${text}\n`)).errorPolicy).toMatchObject(want)
  })

  test('takes brokers and credentials of a dead-letter topic from the sink', async () => {
    const plan = await planOf(`${KAFKA}errorPolicy: {deadLetter: {topic: dead}}\n`)
    expect(plan.errorPolicy.deadLetters!.sink.options).toMatchObject({
      bootstrapServers: ['out:9093'],
      securityProtocol: 'SASL_SSL',
      saslUsername: 'u',
      saslPassword: 'p',
    })
  })

  test('takes them from the source when the sink is a file, and from neither when it names brokers of its own', async () => {
    const source = KAFKA.split('\n')[1]!
    const toFile = `${source}\nsink: {type: file, path: out.jsonl}\n`
    const inherited = await planOf(`${toFile}errorPolicy: {deadLetter: dead}\n`)
    expect(inherited.errorPolicy.deadLetters!.sink.options['bootstrapServers']).toEqual(['k1:9092', 'k2:9092'])
    const own = await planOf(`${KAFKA}errorPolicy: {deadLetter: {topic: dead, bootstrap.servers: "dead:9092"}}\n`)
    expect(own.errorPolicy.deadLetters!.sink.options).toMatchObject({
      bootstrapServers: ['dead:9092'],
      securityProtocol: 'PLAINTEXT',
    })
  })

  test('is read from TOML as Conveyor writes it', async () => {
    const plan = await planOf(
      '[source]\ntype = "file"\npath = "in.jsonl"\n[sink]\ntype = "file"\npath = "out.jsonl"\n[error_handling]\nstrategy = "retry"\nmax_retries = 3\nretry_delay_seconds = 5\n',
      'toml',
    )
    expect(plan.errorPolicy.retry).toMatchObject({ maxRetries: 3, backoff: { initialMs: 5000 } })
  })

  test.each([
    {
      text: 'errorPolicy: ignore',
      want: '4:1 errorPolicy: Cannot read option "type" as it must be one of "fail", "retry", "skip", "deadLetter": current value is "ignore"',
    },
    {
      text: 'errorPolicy: [skip]',
      want: '4:1 errorPolicy: Cannot read the options as they must be an object: found a list',
    },
    { text: 'errorPolicy: deadLetter', want: '4:1 errorPolicy: Missing deadLetter, the place for dead letters' },
    { text: 'errorPolicy: {type: retry, maxRetry: 3}', want: '4:28 errorPolicy.maxRetry: Unknown option "maxRetry"' },
    {
      text: 'errorPolicy: {type: retry, maxRetries: -1}',
      want: '4:28 errorPolicy.maxRetries: Cannot read option "maxRetries" as it must be a whole number of at least 0: current value is -1',
    },
    {
      text: 'errorPolicy: {maxRetries: 1, maxAttempts: 2}',
      want: '4:30 errorPolicy.maxAttempts: Cannot use both maxRetries and maxAttempts as they set the same thing',
    },
    {
      text: 'errorPolicy: {retry_delay_seconds: 1, multiplier: 2}',
      want: '4:15 errorPolicy.retry_delay_seconds: Cannot use both retryDelaySeconds and multiplier as they set the same thing',
    },
    {
      text: 'errorPolicy: {type: fail, onExhausted: skip}',
      want: '4:27 errorPolicy.onExhausted: onExhausted has no effect with type "fail"',
    },
    {
      text: 'errorPolicy: {deadLetter: {type: fiel, path: x}}',
      want: '4:28 errorPolicy.deadLetter.type: Unknown sink type "fiel"',
    },
    { text: 'errorPolicy: {deadLetter: {topc: x}}', want: '4:28 errorPolicy.deadLetter.topc: Unknown option "topc"' },
    {
      text: 'errorPolicy: {deadLetter: 7}',
      want: '4:15 errorPolicy.deadLetter: Cannot read deadLetter as it must be a topic or an object: found 7',
    },
    {
      text: 'errorPolicy: {deadLetter: {path: x}, envelope: headers}',
      want: '4:38 errorPolicy.envelope: Cannot use the envelope "headers" as the sink "file" does not write headers',
    },
    {
      text: 'errorPolicy: {deadLetter: {topic: orders, bootstrapServers: "k2:9092"}}',
      want: '4:15 errorPolicy.deadLetter: Cannot write dead letters to topic "orders" as the pipeline reads it: each letter would fail again',
    },
    {
      text: 'circuitBreaker: {failureThreshold: 0}',
      want: '4:18 circuitBreaker.failureThreshold: Cannot read option "failureThreshold" as it must be a whole number of at least 1: current value is 0',
    },
    { text: 'circuitBreaker: {treshold: 1}', want: '4:18 circuitBreaker.treshold: Unknown option "treshold"' },
  ])('says what is wrong with $text', async ({ text, want }) => {
    const { problems } = await read(`${KAFKA}${text}\n`)
    expect(problems.map(({ path, line, column, message }) => `${line}:${column} ${path}: ${message}`)).toContain(want)
  })

  test('warns of dead letters that no policy asks for', async () => {
    const { warnings } = await read(`${KAFKA}errorPolicy: {type: fail, deadLetter: dead}\n`)
    expect(warnings).toMatchObject([
      { path: 'errorPolicy.deadLetter', message: expect.stringContaining('has no effect') },
    ])
  })
})

describe('a circuit breaker', () => {
  test.each([
    { text: '', want: undefined },
    { text: 'circuitBreaker: true', want: { failureThreshold: 5, openMs: 60_000 } },
    { text: 'circuitBreaker: {enabled: true}', want: { failureThreshold: 5, openMs: 60_000 } },
    { text: 'circuitBreaker: {enabled: false, failureThreshold: 3}', want: undefined },
    { text: 'circuit_breaker: {failureThreshold: 3, timeout: PT10S}', want: { failureThreshold: 3, openMs: 10_000 } },
  ])('$text', async ({ text, want }) => {
    expect((await planOf(`${KAFKA}${text}\n`)).circuitBreaker).toEqual(want)
  })

  test('can be in the sink block, but not in both places', async () => {
    const [, source, sink] = KAFKA.split('\n')
    const inSink = `${source}\n${sink!.replace('{ type: kafka,', '{ type: kafka, circuitBreaker: {timeout: 500},')}\n`
    expect((await planOf(inSink)).circuitBreaker).toEqual({ failureThreshold: 5, openMs: 500 })
    expect((await read(`${inSink}circuitBreaker: true\n`)).problems).toMatchObject([
      { path: 'sink.circuitBreaker', message: expect.stringContaining('both') },
    ])
  })
})
