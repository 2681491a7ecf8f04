/** What the server sends: the types of the server itself. */
export type { HistoryPoint } from '../../millrace/src/serve/history.ts'
export type { Status } from '../../millrace/src/serve/monitor.ts'
export type { NodeStatus, PipelineStatus } from '../../millrace/src/serve/status.ts'
import type { HistoryPoint } from '../../millrace/src/serve/history.ts'
import type { Status } from '../../millrace/src/serve/monitor.ts'

/** What the page shows. It stays when the connection breaks, so that what one reads does not vanish. */
export interface View {
  readonly connection: 'connecting' | 'live' | 'lost' | 'locked'
  readonly status: Status | undefined
  /** The snapshot before, for rates. */
  readonly before: Status | undefined
  readonly history: { readonly [pipeline: string]: readonly HistoryPoint[] }
}
