/** DescribeLogDirs (35): sizes of partitions. There is one directory, which stands for memory. */
import {
  describeLogDirsApi,
  type DescribeLogDirsRequest,
  type DescribeLogDirsResponse,
} from '../../protocol/messages/describe-log-dirs.ts'
import type { Handler } from './handler.ts'

/** The only one of each node. */
export const DIRECTORY = '/memory'

export const describeLogDirs: Handler<DescribeLogDirsRequest, DescribeLogDirsResponse> = {
  api: describeLogDirsApi,
  handle({ topics }, { broker: { cluster }, node, version }) {
    const asked =
      topics ??
      cluster
        .topics()
        .map(({ name, partitions }) => ({ topic: name, partitions: partitions.map(({ index }) => index) }))
    const described = asked.flatMap(({ topic, partitions }) => {
      const found = partitions
        .map((index) => cluster.partition(topic, index))
        .filter((partition) => partition?.replicas.includes(node))
      const sizes = found.map((partition) => ({
        partitionIndex: partition!.index,
        partitionSize: partition!.log.bytes,
        offsetLag: 0,
        isFutureKey: false,
      }))
      return sizes.length === 0 ? [] : [{ name: topic, partitions: sizes }]
    })
    const totalBytes = cluster.options.retentionBytes
    const sizes = version >= 4 ? { totalBytes, usableBytes: totalBytes } : {}
    return { throttleTimeMs: 0, results: [{ errorCode: 0, logDir: DIRECTORY, topics: described, ...sizes }] }
  },
  refuse: (_request, errorCode, { version }) => ({
    throttleTimeMs: 0,
    ...(version >= 3 ? { errorCode } : {}),
    results: [],
  }),
  subjects: ({ topics }) => ({ topics: (topics ?? []).map(({ topic, partitions }) => ({ name: topic, partitions })) }),
}
