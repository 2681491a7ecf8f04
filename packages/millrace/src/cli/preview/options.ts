import type { Preview } from '../../contracts/context.ts'
import type { Batch } from '../../records/batch.ts'

export interface PreviewOptions {
  readonly from: Preview['from']
  readonly at?: Preview['at']
  /** Wait for new records at the end of what is there. */
  readonly follow: boolean
  /** Hand on what the source reads, whatever the plan says of stages and sink. */
  readonly sourceOnly?: boolean
  /** Stop after so many rows. */
  readonly max?: number | undefined
  /** Ends it. */
  readonly signal?: AbortSignal
  /** Given each row that goes to the sink. `codec` is the name of the codec of its value. */
  readonly onRow: (batch: Batch, row: number, codec: string) => void
}

export interface PreviewResult {
  /** Records that were read. */
  readonly read: number
  /** Rows that were handed on. */
  readonly rows: number
}
