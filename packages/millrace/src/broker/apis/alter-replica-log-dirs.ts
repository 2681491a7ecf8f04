/** AlterReplicaLogDirs (34): moves replicas between the directories of a node, of which there is one. */
import { ERROR } from '../../protocol/error-codes.ts'
import type { Decoded } from '../../protocol/message.ts'
import {
  alterReplicaLogDirsApi,
  type AlterReplicaLogDirsRequest,
  type AlterReplicaLogDirsResponse,
} from '../../protocol/messages/alter-replica-log-dirs.ts'
import { DIRECTORY } from './describe-log-dirs.ts'
import type { Call, Handler } from './handler.ts'

export const alterReplicaLogDirs: Handler<AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse> = {
  api: alterReplicaLogDirsApi,
  handle: (request, call) => answer(request, (path, topic, index) => errorOf(path, topic, index, call)),
  refuse: (request, errorCode) => answer(request, () => errorCode),
  subjects: ({ dirs }) => ({ topics: dirs.flatMap(({ topics }) => topics) }),
}

function errorOf(path: string, topic: string, index: number, { broker: { cluster }, node }: Call): number {
  if (path !== DIRECTORY) return ERROR.LOG_DIR_NOT_FOUND
  const partition = cluster.partition(topic, index)
  if (partition === undefined) return ERROR.UNKNOWN_TOPIC_OR_PARTITION
  return partition.replicas.includes(node) ? 0 : ERROR.REPLICA_NOT_AVAILABLE
}

function answer(
  { dirs }: Decoded<AlterReplicaLogDirsRequest>,
  errorCodeOf: (path: string, topic: string, index: number) => number,
): AlterReplicaLogDirsResponse {
  const results = dirs.flatMap(({ path, topics }) =>
    topics.map(({ name, partitions }) => ({
      topicName: name,
      partitions: partitions.map((partitionIndex) => ({
        partitionIndex,
        errorCode: errorCodeOf(path, name, partitionIndex),
      })),
    })),
  )
  return { throttleTimeMs: 0, results }
}
