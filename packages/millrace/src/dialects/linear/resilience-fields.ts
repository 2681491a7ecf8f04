/**
 * Options of retries and circuit breakers of linear files. Words of Fluxion are taken over where they mean the
 * same here, and refused where they do not.
 */
import { warning, type OptionRule, type Options } from '../../options/declaration.ts'
import { field } from '../../options/fields.ts'
import { describeValue } from '../../options/values.ts'
import type { FailureRate } from '../../resilience/failure-rate.ts'
import { circuitBreakerFields } from '../error-policy.ts'

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
    .number({ min: 0.1, max: 100 })
    .optional()
    .doc(
      'In place of `failureThreshold`: percentage of failed deliveries at which the pipeline pauses; 50 by default.',
    ),
  minimumNumberOfCalls: field
    .int({ min: 1 })
    .optional()
    .doc('Of `failureRateThreshold`: deliveries before which nothing is said; 10 by default.'),
  slidingWindowSize: field
    .int({ min: 1, max: 100_000 })
    .optional()
    .doc(
      'Of `failureRateThreshold`: of how many deliveries, or of how many seconds, the percentage is; 100 by default.',
    ),
  slidingWindowType: field
    .oneOf(['count', 'time'], { 0: 'count', 1: 'time', count_based: 'count', time_based: 'time' })
    .optional()
    .doc('Of `failureRateThreshold`: whether `slidingWindowSize` counts deliveries (0) or seconds (1, the default).'),
  permittedCallsInHalfOpenState: field.int({ min: 1 }).optional().doc('One delivery after the pause decides.'),
  slowCallRateThreshold: field.number().optional().doc('Only 100: slow deliveries are no failures.'),
  slowCallDurationThresholdMs: field.any().optional().doc('Without effect: slow deliveries are no failures.'),
}

const RATE_OPTIONS = [
  'failureRateThreshold',
  'minimumNumberOfCalls',
  'slidingWindowSize',
  'slidingWindowType',
] as const satisfies readonly (keyof typeof breakerFields)[]

/** The share of failures that opens a circuit breaker, with the defaults of the host; undefined when it counts those in a row. */
export function failureRateOf(options: Options<typeof breakerFields>): FailureRate | undefined {
  if (RATE_OPTIONS.every((name) => options[name] === undefined)) return undefined
  const { failureRateThreshold = 50, minimumNumberOfCalls = 10, slidingWindowSize: size = 100 } = options
  return options.slidingWindowType === 'count'
    ? { percent: failureRateThreshold, minimumCalls: Math.min(minimumNumberOfCalls, size), window: { calls: size } }
    : { percent: failureRateThreshold, minimumCalls: minimumNumberOfCalls, window: { seconds: size } }
}

const SLOW = 'flushTimeout of the sink says how long acknowledgements may fail to come'

export const breakerRules: readonly OptionRule<typeof breakerFields>[] = [
  (_, isSet) => {
    const other = RATE_OPTIONS.find(isSet)
    return isSet('failureThreshold') && other !== undefined
      ? {
          path: ['failureThreshold'],
          message: `Cannot use both failureThreshold and ${other}, as the one counts failures in a row and the other their share`,
          suggestion: 'delete one',
        }
      : undefined
  },
  ({ permittedCallsInHalfOpenState: calls = 1 }) =>
    calls === 1
      ? undefined
      : warning(
          'permittedCallsInHalfOpenState',
          'One delivery after the pause decides, and the others follow when it succeeds',
        ),
  ({ slowCallRateThreshold: rate = 100 }) =>
    rate === 100
      ? undefined
      : {
          path: ['slowCallRateThreshold'],
          message: 'Cannot count slow deliveries, as only failures are counted',
          suggestion: `leave it out; ${SLOW}`,
        },
  (_, isSet) =>
    isSet('slowCallDurationThresholdMs')
      ? warning('slowCallDurationThresholdMs', `Slow deliveries are no failures: ${SLOW}`)
      : undefined,
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
