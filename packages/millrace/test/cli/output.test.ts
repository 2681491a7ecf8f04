import { afterEach, describe, expect, test, vi } from 'vitest'
import { errorLines, formatProblem, toEnvelopeError } from '../../src/cli/output.ts'
import {
  AuthenticationError,
  BatchError,
  ConfigError,
  ConnectionError,
  DeliveryError,
  UnexpectedError,
} from '../../src/errors/index.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

test.each([
  [
    { path: 'sink.acks', line: 3, column: 5, message: 'Wrong', suggestion: 'write all' },
    'f.yaml:3:5 sink.acks: Wrong (write all)',
  ],
  [{ path: 'sink.acks', message: 'Wrong' }, 'f.yaml sink.acks: Wrong'],
  [{ path: '', line: 1, column: 1, message: 'Wrong' }, 'f.yaml:1:1: Wrong'],
  [{ path: '', message: 'Wrong' }, 'f.yaml: Wrong'],
])('shows a problem as one line', (problem, line) => {
  expect(formatProblem('f.yaml', problem)).toBe(line)
})

describe('errors of users', () => {
  test('show code and text, no stack', () => {
    vi.stubEnv('MILLRACE_DEBUG', '1')
    expect(
      errorLines(new ConnectionError('BROKER_UNREACHABLE', 'No broker', { cause: new Error('inner') }), 'f.yaml'),
    ).toEqual(['BROKER_UNREACHABLE: No broker'])
  })

  test('show every problem of a configuration', () => {
    const error = new ConfigError('Two problems', [
      { path: 'a', message: 'One' },
      { path: 'b', message: 'Two' },
    ])
    expect(errorLines(error, 'f.yaml')).toEqual(['f.yaml a: One', 'f.yaml b: Two'])
    expect(toEnvelopeError(error)).toEqual({
      code: 'CONFIG_INVALID',
      message: 'Two problems',
      problems: error.problems,
    })
  })

  // A batch that failed because of credentials ended as BATCH_FAILED, with exit code 3 and no word about them.
  test('report what ends a run under its own code, whatever it is wrapped in', () => {
    const refused = new AuthenticationError('Broker "k1:9093" refuses the credentials')
    const error = new BatchError(
      'Cannot write 2 of 5',
      new Map([[3, new DeliveryError('Refused', { cause: refused })]]),
    )
    expect(errorLines(error, 'f.yaml')).toEqual([`AUTHENTICATION_FAILED: ${refused.message}`])
    expect(toEnvelopeError(error)).toEqual({ code: 'AUTHENTICATION_FAILED', message: refused.message })
  })

  test('show the first failure of a batch', () => {
    const error = new BatchError(
      'Cannot write 2 of 5',
      new Map([[3, new DeliveryError('Too late', { code: 'DELIVERY_TIMED_OUT' })]]),
    )
    expect(errorLines(error, 'f.yaml')).toEqual(['BATCH_FAILED: Cannot write 2 of 5', 'DELIVERY_TIMED_OUT: Too late'])
  })
})

describe('faults of our own', () => {
  test.each([new TypeError('x is not a function'), new UnexpectedError('x is not a function')])(
    'say where to report them',
    (error) => {
      vi.stubEnv('MILLRACE_DEBUG', '')
      const lines = errorLines(error, 'f.yaml')
      expect(lines).toEqual([
        'UNEXPECTED: x is not a function',
        expect.stringMatching(/Please report it .*MILLRACE_DEBUG=1/),
      ])
      expect(toEnvelopeError(error)).toEqual({ code: 'UNEXPECTED', message: 'x is not a function' })
    },
  )

  test('show the stack and the causes with MILLRACE_DEBUG=1', () => {
    vi.stubEnv('MILLRACE_DEBUG', '1')
    const text = errorLines(new Error('outer', { cause: new Error('inner') }), undefined).join('\n')
    expect(text).toMatch(/Error: outer\n +at /)
    expect(text).toMatch(/caused by Error: inner\n +at /)
  })
})
