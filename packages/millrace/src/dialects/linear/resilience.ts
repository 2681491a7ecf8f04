/**
 * Retries and circuit breakers of linear files: at the top, in a sink block, or by name.
 *
 * ```yaml
 * resilience:
 *   retry: { name: patient, maxAttempts: 5, waitDurationMs: 200, multiplier: 2 }   # or a list
 *   circuitBreaker: [{ name: strict, failureThreshold: 3, waitDurationInOpenStateMs: 10000 }]
 * sink: { type: kafka, ..., retryInstance: patient, circuitBreakerInstance: strict }
 * ```
 */
import type { CircuitBreakerPlan, ErrorPolicy, RetryPolicy } from '../../engine/plan.ts'
import type { Fields, Options } from '../../options/declaration.ts'
import { parseOptions, type OptionSpec } from '../../options/parse.ts'
import { didYouMean } from '../../options/suggest.ts'
import { describeValue, isObject } from '../../options/values.ts'
import type { ReportProblem } from '../problems.ts'
import type { Block } from './blocks.ts'
import {
  breakerFields,
  breakerRules,
  DAY_MS,
  failureRateOf,
  resilienceFields,
  retryFields,
  retryRules,
} from './resilience-fields.ts'

/** What the file says at one place. */
interface Saying {
  readonly value: unknown
  readonly place: Block['place']
}

/** How a kind of block is read, and under which names it is found. */
interface Kind<T> {
  readonly names: readonly string[]
  readonly instance: string
  readonly read: (saying: Saying, report: ReportProblem) => T | undefined
}

function parsed<F extends Fields>(
  spec: OptionSpec<F>,
  { value, place }: Saying,
  report: ReportProblem,
): Options<F> | undefined {
  const { options, problems, warnings } = parseOptions(spec, value === true ? {} : value, place)
  for (const problem of [...problems, ...warnings]) report(problem)
  return problems.length > 0 ? undefined : options
}

const RETRY: Kind<RetryPolicy> = {
  names: ['retry'],
  instance: 'retryInstance',
  read(saying, report) {
    const options = parsed({ options: retryFields, rules: retryRules }, saying, report)
    if (options === undefined || options.maxAttempts === 1) return undefined
    const { maxAttempts, waitDurationMs: initialMs, multiplier } = options
    return { maxRetries: maxAttempts - 1, backoff: { initialMs, maxMs: DAY_MS, multiplier, jitter: 0 } }
  },
}

const BREAKER: Kind<CircuitBreakerPlan> = {
  names: ['circuitBreaker', 'circuit_breaker'],
  instance: 'circuitBreakerInstance',
  read(saying, report) {
    if (saying.value === false) return undefined
    const options = parsed({ options: breakerFields, rules: breakerRules }, saying, report)
    if (options?.enabled !== true) return undefined
    const { failureThreshold, timeout: openMs } = options
    return { failureThreshold, failureRate: failureRateOf(options), openMs }
  },
}

/** Keys of a sink block that say what happens when it fails. */
export const RESILIENCE_NAMES: readonly string[] = [RETRY, BREAKER].flatMap(({ names, instance }) => [
  ...names,
  instance,
])

export interface Resilience {
  readonly retry: RetryPolicy | undefined
  readonly circuitBreaker: CircuitBreakerPlan | undefined
}

/**
 * @param blocks what sink blocks say
 * @param hasSeveral whether there are several sinks
 */
export function readResilience(
  content: { readonly [name: string]: unknown },
  blocks: readonly Block[],
  hasSeveral: boolean,
  report: ReportProblem,
): Resilience {
  const section = content['resilience']
  if (section !== undefined && section !== null)
    parsed({ options: resilienceFields }, { value: section, place: ['resilience'] }, report)
  const ofSinks = blocks.filter(({ place, value }) => {
    if (!hasSeveral || typeof place.at(-1) !== 'number') return true
    for (const key of Object.keys(value as object))
      report({
        path: [...place, key],
        message: `Cannot use ${key} for one of several sinks, as it applies to all of them`,
        suggestion: 'write it beside fanout',
      })
    return false
  })
  const instances = isObject(section) ? section : {}
  return {
    retry: readKind(RETRY, 'retry', ofSinks, instances, report),
    circuitBreaker: readKind(BREAKER, 'circuitBreaker', [{ value: content, place: [] }, ...ofSinks], instances, report),
  }
}

function readKind<T>(
  kind: Kind<T>,
  sectionName: string,
  blocks: readonly Block[],
  section: { readonly [name: string]: unknown },
  report: ReportProblem,
): T | undefined {
  const instances = new Map<unknown, T | undefined>()
  const listed = section[sectionName]
  for (const [i, value] of [listed ?? []].flat().entries()) {
    const place = ['resilience', sectionName, ...(Array.isArray(listed) ? [i] : [])]
    const own = isObject(value) ? value['name'] : undefined
    if (typeof own !== 'string')
      report({ path: place, message: 'Missing option "name"', suggestion: 'for example name: patient' })
    instances.set(own, kind.read({ value, place }, report))
  }
  const sayings = blocks.flatMap(({ value, place }) =>
    [...kind.names, kind.instance].flatMap((key) => {
      const said = (value as { readonly [name: string]: unknown })[key]
      return said === undefined || said === null ? [] : [{ key, value: said, place: [...place, key] }]
    }),
  )
  const [first, second] = sayings
  if (first === undefined) return undefined
  if (second !== undefined)
    report({
      path: second.place,
      message: `Cannot use both ${first.place.join('.')} and ${second.place.join('.')} as they set the same thing`,
      suggestion: 'delete one',
    })
  if (first.key !== kind.instance) return kind.read(first, report)
  if (instances.has(first.value)) return instances.get(first.value)
  const names = [...instances.keys()].filter((known) => typeof known === 'string')
  report({
    path: first.place,
    message: `Unknown ${sectionName} ${describeValue(first.value)} in resilience`,
    suggestion:
      (typeof first.value === 'string' ? didYouMean(first.value, names) : undefined) ??
      `add it: resilience: {${sectionName}: [{name: ...}]}`,
  })
  return undefined
}

/** An error policy with the retries of a sink block. */
export function withRetry(policy: ErrorPolicy, retry: RetryPolicy | undefined, report: ReportProblem): ErrorPolicy {
  if (retry === undefined) return policy
  if (policy.retry !== undefined)
    report({
      path: ['errorPolicy'],
      message: 'Cannot use both retries of the error policy and those of the sink as they set the same thing',
      suggestion: 'delete one',
    })
  return { ...policy, retry }
}
