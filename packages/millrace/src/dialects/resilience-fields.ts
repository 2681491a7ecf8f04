/**
 * Options of retries and circuit breakers of linear files. Words of the host of seed 000 are taken over where they mean the
 * same here, and refused where they do not.
 */
import { field, type OptionRule } from '../options/fields.ts'
import { describeValue, isScalar } from '../options/values.ts'
import { circuitBreakerFields } from './error-policy.ts'

const name = field.string().optional().doc('Name, by which a sink block asks for it.')

export const retryFields = {
  name,
  maxAttempts: field.int({ min: 1 }).default(1).doc('How often a delivery is tried, the first attempt included.'),
  waitDurationMs: field.durationMs().default(1000).doc('Wait before the second attempt.'),
  multiplier: field.number({ min: 1 }).default(1).doc('Factor from one wait to the next; none is longer than a day.'),
  retryOn: field.any().optional().doc('Exceptions to try again after; must be empty, as the kind of failure decides.'),
  ignore: field
    .any()
    .optional()
    .doc('Exceptions not to try again after; must be empty, as the kind of failure decides.'),
}

/** Longest wait between two attempts. */
export const DAY_MS = 86_400_000

export const retryRules: readonly OptionRule<typeof retryFields>[] = (['retryOn', 'ignore'] as const).map(
  (option) => (options) => {
    const names: unknown = options[option]
    return names === undefined || names === null || (Array.isArray(names) && names.length === 0)
      ? undefined
      : {
          path: [option],
          message: `Cannot use ${option} as the exceptions of another platform are not known here: found ${describeValue(names)}`,
          suggestion:
            'leave it out: what cannot succeed, such as a record that is too large, is not tried again anyway',
        }
  },
)

export const breakerFields = {
  ...circuitBreakerFields,
  name,
  timeout: circuitBreakerFields.timeout.aliases('waitDurationInOpenStateMs'),
  failureRateThreshold: field
    .number({ min: 0, max: 100 })
    .optional()
    .doc('Only 100, with `minimumNumberOfCalls` or `slidingWindowSize`: the same as a `failureThreshold` of so many.'),
  minimumNumberOfCalls: field
    .int({ min: 1 })
    .optional()
    .doc('With `failureRateThreshold: 100`: the failures in a row.'),
  slidingWindowSize: field.int({ min: 1 }).optional().doc('The same.'),
  slidingWindowType: field.any().optional().doc('Only `0` or `count`: calls are counted, not time.'),
  permittedCallsInHalfOpenState: field.int({ min: 1 }).optional().doc('Only 1: one delivery is tried after the pause.'),
  slowCallRateThreshold: field.number().optional().doc('Only 100: slow deliveries are no failures.'),
  slowCallDurationThresholdMs: field.any().optional().doc('Not to be used: slow deliveries are no failures.'),
}

const IN_A_ROW = 'write failureThreshold: 5, the failures in a row'

export const breakerRules: readonly OptionRule<typeof breakerFields>[] = [
  ({ failureRateThreshold: rate }) =>
    rate === undefined || rate === 100
      ? undefined
      : {
          path: ['failureRateThreshold'],
          message: `Cannot open at a failure rate of ${rate} %, as the circuit breaker counts failures in a row`,
          suggestion: IN_A_ROW,
        },
  ({ failureRateThreshold: rate, minimumNumberOfCalls: calls, slidingWindowSize: size }, isSet) => {
    const window = calls ?? size
    const path = [calls === undefined ? 'slidingWindowSize' : 'minimumNumberOfCalls']
    if (rate === undefined && window === undefined) return undefined
    if (isSet('failureThreshold'))
      return {
        path: ['failureThreshold'],
        message: `Cannot use both failureThreshold and ${rate === undefined ? path[0]! : 'failureRateThreshold'} as they set the same`,
        suggestion: 'delete one',
      }
    if (rate === undefined)
      return {
        path,
        message: `Option "${path[0]!}" has no meaning without failureRateThreshold: 100`,
        suggestion: IN_A_ROW,
      }
    if (rate === 100 && window === undefined)
      return {
        path: ['failureRateThreshold'],
        message: 'Missing minimumNumberOfCalls: of how many deliveries must all have failed',
        suggestion: IN_A_ROW,
      }
    return calls !== undefined && size !== undefined && calls !== size
      ? {
          path: ['slidingWindowSize'],
          message: `Cannot look at the last ${size} calls from ${calls} on, as the circuit breaker counts failures in a row`,
          suggestion: 'give both the same number, or leave one out',
        }
      : undefined
  },
  ({ slidingWindowType: type }) =>
    type === undefined || (isScalar(type) && ['0', 'count', 'count_based'].includes(String(type).toLowerCase()))
      ? undefined
      : {
          path: ['slidingWindowType'],
          message: `Cannot use a window of type ${describeValue(type)} as calls are counted, not time`,
          suggestion: 'write 0, or leave it out',
        },
  ({ permittedCallsInHalfOpenState: calls = 1 }) =>
    calls === 1
      ? undefined
      : {
          path: ['permittedCallsInHalfOpenState'],
          message: `Cannot try ${calls} deliveries after the pause, as one decides`,
          suggestion: 'write 1, or leave it out',
        },
  ({ slowCallRateThreshold: rate = 100 }, isSet) =>
    rate === 100 && !isSet('slowCallDurationThresholdMs')
      ? undefined
      : {
          path: [rate === 100 ? 'slowCallDurationThresholdMs' : 'slowCallRateThreshold'],
          message: 'Cannot count slow deliveries, as only failures are counted',
          suggestion: 'leave it out; flushTimeout of the sink says how long acknowledgements may fail to come',
        },
]

export const resilienceFields = {
  retry: field
    .any()
    .optional()
    .doc('Retries with a name, one or a list of them; `retryInstance` of a sink asks for one.'),
  circuitBreaker: field
    .any()
    .optional()
    .doc('Circuit breakers with a name, one or a list of them; `circuitBreakerInstance` of a sink asks for one.'),
}
