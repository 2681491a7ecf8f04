/**
 * Whether a process is alive, and whether its pipelines do what they should, with the reasons why not.
 */
import { ERROR_CODES, type ErrorCode } from '../errors/index.ts'
import type { WatchedPipeline } from '../engine/watching/watched-pipeline.ts'
import { counted } from '../options/units.ts'

/** Names of reasons are stable. */
export const REASONS = {
  starting: 'The pipeline connects, or joins its group.',
  'cannot-read':
    'The pipeline cannot read at the moment, for instance because a broker does not respond, or joining the group takes long.',
  'cannot-write': 'The pipeline cannot write at the moment.',
  'circuit-open': 'The circuit breaker of a sink is open or half-open.',
  stalled: 'There are records to read, and none was read or written for a minute.',
  stopping: 'The pipeline was asked to stop.',
  failed: 'The run ended with an error.',
} as const

export type ReasonName = keyof typeof REASONS

export interface Reason {
  readonly reason: ReasonName
  readonly pipeline: string
  /** A sentence without a period. */
  readonly message: string
}

/** How long a pipeline with lag may do nothing. */
export const STALL_MS = 60_000

/** @param idleMs since when nothing was read or written. @param lag records to read */
export function reasonsOf(
  watched: WatchedPipeline,
  {
    idleMs,
    lag,
    hidesValues = false,
  }: { readonly idleMs: number; readonly lag: number | undefined; readonly hidesValues?: boolean },
): readonly Reason[] {
  const { name: pipeline, state, error, breakerStates } = watched
  const because = (reason: ReasonName, message: string): Reason => ({ reason, pipeline, message })
  if (state === 'failed')
    return [because('failed', `The run ended with ${error!.code}: ${shownMessage(error!, hidesValues)}`)]
  if (state === 'ended') return []
  if (state === 'stopping') return [because('stopping', 'The pipeline was asked to stop')]
  if (state === 'starting') return [because('starting', 'The pipeline has not connected yet')]
  const { reading, writing } = watched.problem()
  const open = breakerStates.filter((breaker) => breaker.state !== 'closed')
  const isStalled = idleMs >= STALL_MS && lag !== undefined && lag > 0
  return [
    ...(reading === undefined ? [] : [because('cannot-read', capitalized(reading))]),
    ...(writing === undefined ? [] : [because('cannot-write', capitalized(writing))]),
    ...open.map((breaker) => because('circuit-open', `The circuit breaker of "${breaker.id}" is ${breaker.state}`)),
    ...(isStalled
      ? [
          because(
            'stalled',
            `${counted(lag, 'record')} ${lag === 1 ? 'is' : 'are'} to be read, and none was for ${Math.round(idleMs / 1000)} s`,
          ),
        ]
      : []),
  ]
}

/** The message of an error, or where it may quote values, what its code means. */
export function shownMessage(
  { code, message }: { readonly code: string; readonly message: string },
  hidesValues: boolean,
): string {
  if (!hidesValues) return message
  return code in ERROR_CODES ? ERROR_CODES[code as ErrorCode].doc : 'the message is hidden'
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
