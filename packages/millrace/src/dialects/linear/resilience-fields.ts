/**
 * Options of retries and circuit breakers of linear files. Words of Fluxion are taken over where they mean the
 * same here, and refused where they do not.
 */
import { warning, type OptionRule, type Options } from '../../options/declaration.ts'
import { field } from '../../options/fields.ts'
import { describeValue } from '../../options/values.ts'
import type { FailureRate } from '../../resilience/failure-rate.ts'
import { circuitBreakerFields } from '../error-policy.ts'

const name = field.string().optional().doc('Name by which a sink block refers to it.')

export const retryFields = {
  name,
  maxAttempts: field.int({ min: 1 }).default(1).doc('How often a delivery is tried, including the first attempt.'),
  waitDurationMs: field.durationMs().default(1000).doc('Wait before the second attempt.'),
  multiplier: field
    .number({ min: 1 })
    .default(1)
    .doc('Factor from one wait to the next. No wait is longer than a day.'),
  retryOn: field
    .any()
    .optional()
    .doc('Exceptions to retry after. Must be empty: Millrace decides by the kind of failure.'),
  ignore: field
    .any()
    .optional()
    .doc('Exceptions not to retry after. Must be empty: Millrace decides by the kind of failure.'),
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
          message: `Cannot use ${option} as Java exceptions do not exist in Millrace: found ${describeValue(names)}`,
          suggestion:
            'delete it: a failure that cannot succeed later, such as a record that is too large, is never retried',
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
    .doc('Percentage of failed deliveries at which the pipeline pauses, instead of `failureThreshold`. By default 50.'),
  minimumNumberOfCalls: field
    .int({ min: 1 })
    .optional()
    .doc('With `failureRateThreshold`: deliveries needed before the percentage counts. By default 10.'),
  slidingWindowSize: field
    .int({ min: 1, max: 100_000 })
    .optional()
    .doc(
      'With `failureRateThreshold`: number of deliveries, or of seconds, over which the percentage is computed. By default 100.',
    ),
  slidingWindowType: field
    .oneOf(['count', 'time'], { 0: 'count', 1: 'time', count_based: 'count', time_based: 'time' })
    .optional()
    .doc('With `failureRateThreshold`: whether `slidingWindowSize` counts deliveries (0) or seconds (1, the default).'),
  permittedCallsInHalfOpenState: field.int({ min: 1 }).optional().doc('One delivery after the pause decides.'),
  slowCallRateThreshold: field.number().optional().doc('Must be 100: slow deliveries do not count as failures.'),
  slowCallDurationThresholdMs: field.any().optional().doc('Has no effect: slow deliveries do not count as failures.'),
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

const SLOW = 'flushTimeout of the sink sets how long to wait for acknowledgements'

export const breakerRules: readonly OptionRule<typeof breakerFields>[] = [
  (_, isSet) => {
    const other = RATE_OPTIONS.find(isSet)
    return isSet('failureThreshold') && other !== undefined
      ? {
          path: ['failureThreshold'],
          message: `Cannot use both failureThreshold and ${other}, as one counts failures in a row and the other counts their share`,
          suggestion: 'delete one',
        }
      : undefined
  },
  ({ permittedCallsInHalfOpenState: calls = 1 }) =>
    calls === 1
      ? undefined
      : warning(
          'permittedCallsInHalfOpenState',
          'One delivery after the pause decides; the others follow if it succeeds',
        ),
  ({ slowCallRateThreshold: rate = 100 }) =>
    rate === 100
      ? undefined
      : {
          path: ['slowCallRateThreshold'],
          message: 'Cannot count slow deliveries, as only failures are counted',
          suggestion: `delete it; ${SLOW}`,
        },
  (_, isSet) =>
    isSet('slowCallDurationThresholdMs')
      ? warning('slowCallDurationThresholdMs', `Slow deliveries do not count as failures: ${SLOW}`)
      : undefined,
]

export const resilienceFields = {
  retry: field.any().optional().doc('Named retries, one or a list. `retryInstance` of a sink selects one.'),
  circuitBreaker: field
    .any()
    .optional()
    .doc('Named circuit breakers, one or a list. `circuitBreakerInstance` of a sink selects one.'),
}
