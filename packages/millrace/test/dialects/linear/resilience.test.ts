/** Retries and circuit breakers of linear files. */
import { describe, expect, test } from 'vitest'
import { readLinear } from '../../../src/dialects/linear/index.ts'

const source = { type: 'file', path: 'a' }
const file = { type: 'file', path: 'b' }

function read(content: object): ReturnType<typeof readLinear> {
  return readLinear({ source, sink: file, ...content }, { file: 'x.yaml', directory: '/', name: 'x' })
}

const retry = { maxAttempts: 4, waitDurationMs: 200, multiplier: 3, retryOn: [], ignore: [] }
const plannedRetry = { maxRetries: 3, backoff: { initialMs: 200, multiplier: 3, jitter: 0 } }
const several = { fanout: [file, { type: 'stdout' }] }

describe('retries of a sink', () => {
  test.each([
    { name: 'in the sink block', content: { sink: { ...file, retry } } },
    { name: 'beside options', content: { sink: { type: 'file', options: { path: 'b' }, retry } } },
    { name: 'beside a fanout', content: { sink: { ...several, retry } } },
    {
      name: 'by name',
      content: { resilience: { retry: { name: 'patient', ...retry } }, sink: { ...file, retryInstance: 'patient' } },
    },
    {
      name: 'by name, one of a list',
      content: {
        resilience: { retry: [{ name: 'hasty' }, { name: 'patient', ...retry }] },
        sink: { ...file, retryInstance: 'patient' },
      },
    },
  ])('$name become those of the error policy', ({ content }) => {
    const { plan, problems } = read(content)
    expect(problems).toEqual([])
    expect(plan!.errorPolicy).toMatchObject({ retry: plannedRetry, fate: 'fail' })
  })

  test('go with what the error policy says of records that fail for good', () => {
    const { plan, problems } = read({ errorPolicy: 'skip', sink: { ...file, retry } })
    expect(problems).toEqual([])
    expect(plan!.errorPolicy).toMatchObject({ retry: plannedRetry, fate: 'skip' })
  })

  test('of one attempt are none', () => {
    expect(read({ sink: { ...file, retry: { name: 'x' } } }).plan!.errorPolicy.retry).toBeUndefined()
  })
})

describe('a circuit breaker', () => {
  test.each([
    { name: 'at the top', content: { circuitBreaker: { failureThreshold: 3, timeout: 'PT1S' } }, want: [3, 1000] },
    { name: 'in the sink block', content: { sink: { ...file, circuitBreaker: true } }, want: [5, 60_000] },
    {
      name: 'by name',
      content: {
        resilience: { circuitBreaker: [{ name: 'strict', failureThreshold: 1 }] },
        sink: { ...several, circuitBreakerInstance: 'strict' },
      },
      want: [1, 60_000],
    },
    { name: 'that is not enabled', content: { circuitBreaker: { enabled: false } }, want: undefined },
  ])('$name', ({ content, want }) => {
    const { plan, problems } = read(content)
    expect(problems).toEqual([])
    const { circuitBreaker } = plan!
    expect(circuitBreaker && [circuitBreaker.failureThreshold, circuitBreaker.openMs]).toEqual(want)
  })
})

describe('a circuit breaker by rate of failures', () => {
  const ofHost = {
    name: 'x',
    enabled: true,
    failureRateThreshold: 60,
    minimumNumberOfCalls: 20,
    slidingWindowSize: 30,
    waitDurationInOpenStateMs: 2000,
  }
  test.each([
    { name: 'counts seconds by default', options: {}, minimumCalls: 20, window: { seconds: 30 } },
    { name: 'counts seconds', options: { slidingWindowType: 1 }, minimumCalls: 20, window: { seconds: 30 } },
    { name: 'counts deliveries', options: { slidingWindowType: 0 }, minimumCalls: 20, window: { calls: 30 } },
    {
      name: 'needs no more deliveries than it looks at',
      options: { slidingWindowType: 'COUNT_BASED', slidingWindowSize: 10 },
      minimumCalls: 10,
      window: { calls: 10 },
    },
  ])('$name', ({ options, minimumCalls, window }) => {
    const { plan, problems } = read({ sink: { ...file, circuitBreaker: { ...ofHost, ...options } } })
    expect(problems).toEqual([])
    expect(plan!.circuitBreaker).toMatchObject({ openMs: 2000, failureRate: { percent: 60, minimumCalls, window } })
  })

  test.each([{ failureRateThreshold: 50 }, { minimumNumberOfCalls: 10 }, { slidingWindowSize: 100 }])(
    '%j has the other defaults of the host',
    (circuitBreaker) => {
      const failureRate = { percent: 50, minimumCalls: 10, window: { seconds: 100 } }
      expect(read({ circuitBreaker }).plan!.circuitBreaker).toMatchObject({ failureRate })
    },
  )

  test('says which words of the host have no effect', () => {
    const words = { permittedCallsInHalfOpenState: 2, slowCallRateThreshold: 100, slowCallDurationThresholdMs: 60_000 }
    const { problems, warnings } = read({ circuitBreaker: { ...ofHost, ...words } })
    expect(problems).toEqual([])
    expect(warnings.map(({ path }) => path)).toEqual([
      'circuitBreaker.permittedCallsInHalfOpenState',
      'circuitBreaker.slowCallDurationThresholdMs',
    ])
  })
})

describe('what has no meaning here is refused', () => {
  const breaker = (options: object): object => ({ sink: { ...file, circuitBreaker: options } })
  test.each([
    {
      content: { sink: { ...file, retry: { maxAttempts: 2, retryOn: ['java.io.IOException'] } } },
      path: 'sink.retry.retryOn',
      message: 'Cannot use retryOn as Java exceptions do not exist in Millrace: found a list',
    },
    {
      content: { sink: { ...file, retry: { attempts: 2 } } },
      path: 'sink.retry.attempts',
      message: 'Unknown option "attempts"',
    },
    {
      content: breaker({ failureThreshold: 3, failureRateThreshold: 100 }),
      path: 'sink.circuitBreaker.failureThreshold',
      message: 'Cannot use both failureThreshold and failureRateThreshold',
    },
    {
      content: breaker({ failureRateThreshold: 0 }),
      path: 'sink.circuitBreaker.failureRateThreshold',
      message: 'must be a number between 0.1 and 100: current value is 0',
    },
    {
      content: breaker({ slidingWindowSize: 1_000_000 }),
      path: 'sink.circuitBreaker.slidingWindowSize',
      message: 'must be a whole number between 1 and 100000',
    },
    {
      content: breaker({ slidingWindowType: 2 }),
      path: 'sink.circuitBreaker.slidingWindowType',
      message: 'must be one of "count", "time": current value is 2',
    },
    {
      content: breaker({ slowCallRateThreshold: 80 }),
      path: 'sink.circuitBreaker.slowCallRateThreshold',
      message: 'Cannot count slow deliveries',
    },
    {
      content: { sink: { ...file, retryInstance: 'pateint' }, resilience: { retry: { name: 'patient' } } },
      path: 'sink.retryInstance',
      message: 'Unknown retry "pateint" in resilience',
    },
    {
      content: { resilience: { retry: [{ maxAttempts: 2 }] } },
      path: 'resilience.retry.0',
      message: 'Missing option "name"',
    },
    { content: { resilience: { rety: {} } }, path: 'resilience.rety', message: 'Unknown option "rety"' },
    {
      content: { circuitBreaker: true, sink: { ...file, circuitBreaker: true } },
      path: 'sink.circuitBreaker',
      message: 'Cannot use both circuitBreaker and sink.circuitBreaker as they set the same thing',
    },
    {
      content: { errorPolicy: { type: 'retry' }, sink: { ...file, retry } },
      path: 'errorPolicy',
      message: 'Cannot use both retries of the error policy and those of the sink',
    },
    {
      content: { sink: { fanout: [file, { type: 'stdout', retry }] } },
      path: 'sink.fanout.1.retry',
      message: 'Cannot use retry for one of several sinks, as it applies to all of them',
    },
  ])('$path: $message', ({ content, path, message }) => {
    expect(read(content).problems).toMatchObject([{ path, message: expect.stringContaining(message) as string }])
  })
})
