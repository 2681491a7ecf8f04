import type { LogFiles } from '../log/log-files.ts'
import type { Change } from './changes.ts'

/** Where the parts of a broker keep what has to survive it. */
export interface Store {
  /** Records a change before the client is answered. */
  record(change: Change): void
  /** The files of a new partition; `undefined` without a folder. */
  createLog(topicId: string, partition: number): LogFiles | undefined
  /** Deletes the files of a topic. */
  deleteLogs(topicId: string): void
}

/** Of a broker that keeps everything in memory. */
export const IN_MEMORY: Store = { record() {}, createLog: () => undefined, deleteLogs() {} }
