/** What the server sends: the types of the server itself. */
export type { HistoryPoint, Shares } from '../../millrace/src/serve/history.ts'
export type { FailedRecord, StageRecords, Status } from '../../millrace/src/serve/monitor.ts'
export type { FailureStatus, NodeStatus, PipelineStatus } from '../../millrace/src/serve/status.ts'
import type { HistoryPoint } from '../../millrace/src/serve/history.ts'
import type { Status } from '../../millrace/src/serve/monitor.ts'
import type { FailureStatus } from '../../millrace/src/serve/status.ts'

/** Asks for records. @returns undefined when there are none, or the server cannot be reached */
export type Ask = <T>(query: { readonly [name: string]: string }) => Promise<T | undefined>

/** What the page shows. It stays when the connection breaks, so that what one reads does not vanish. */
export interface View {
  readonly connection: 'connecting' | 'live' | 'lost' | 'locked'
  readonly status: Status | undefined
  /** The snapshot before, for rates. */
  readonly before: Status | undefined
  /** What ended earlier runs of a pipeline, as far as this page has seen it: a supervisor starts a process again at once. */
  readonly earlier: { readonly [pipeline: string]: readonly FailureStatus[] }
  readonly history: { readonly [pipeline: string]: readonly HistoryPoint[] }
}
