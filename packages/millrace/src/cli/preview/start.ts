/** Where `read` begins, from what the command line says. */
import type { Preview } from '../../contracts/context.ts'
import { ConfigError } from '../../errors/index.ts'

export interface StartOptions {
  readonly from: string
  readonly partition?: number
  readonly offset?: number
}

/** @throws {ConfigError} when the options do not go together, or `from` is no time */
export function startOf({ from, partition, offset }: StartOptions): Preview {
  if (partition === undefined) {
    if (offset !== undefined)
      throw new ConfigError('Cannot begin at --offset without --partition, as each partition has offsets of its own')
    return { from: positionOf(from) }
  }
  if (offset !== undefined && from !== 'earliest')
    throw new ConfigError('Cannot use --offset together with --from, as both set where to start: remove one of them')
  return { from: positionOf(from), at: { partition, offset } }
}

/** @param problem what to say when it is none of the forms @throws {ConfigError} then */
export function positionOf(
  from: string,
  problem = `Cannot start from "${from}" as it must be earliest, latest, run, a time such as 2026-01-31T00:00:00Z, or milliseconds since 1970`,
): Preview['from'] {
  if (from === 'earliest' || from === 'latest' || from === 'run') return from
  const timestampMs = /^\d+$/.test(from) ? Number(from) : timeOf(from)
  if (Number.isFinite(timestampMs)) return { timestampMs }
  throw new ConfigError(problem)
}

/** Without a zone it is in UTC, whatever zone the machine is in. */
function timeOf(text: string): number {
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[-+]\d\d:?\d\d)?)?$/i.exec(text)
  return match === null ? NaN : Date.parse(`${match[1]}T${match[2] ?? '00:00'}${match[3] ?? 'Z'}`)
}
