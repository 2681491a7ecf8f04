/**
 * Produce (0): appends one record batch per partition. Versions 0 to 2 are announced, as old librdkafka needs it to choose a
 * compression (KAFKA-18659), but not answered.
 *
 * With `acks=0` there is no answer; if something fails, the connection is closed, which is all that the client can notice.
 */
import {
  produceApi,
  type PartitionProduceResponse,
  type ProduceRequest,
  type ProduceResponse,
} from '../../protocol/messages/produce.ts'
import { ERROR } from '../../protocol/error-codes.ts'
import type { Decoded } from '../../protocol/message.ts'
import { type Cluster, ledPartition } from '../cluster/cluster.ts'
import type { Partition, Topic } from '../cluster/topic.ts'
import { isRefusal, type Refusal } from '../log/check-batch.ts'
import { type Appended, keylessRecords, untimelyRecords } from '../log/partition-log.ts'
import { admit } from '../transactions/admission.ts'
import type { Call, Handler } from './handler.ts'
import { endpointsOf, topicOf } from './topics.ts'

/** First version that names topics by their id. */
const FIRST_WITH_ID = 13
/** Value of `acks` that asks for all in-sync replicas. */
const ALL = -1
const ACKS = [ALL, 0, 1]
/** Client id of the tools that may write to internal topics. */
const ADMIN_CLIENT = '__admin_client'

export const produce: Handler<ProduceRequest, ProduceResponse> = {
  api: produceApi,

  async handle(request, call) {
    if (!ACKS.includes(request.acks)) return produce.refuse(request, ERROR.INVALID_REQUIRED_ACKS, call)
    const responses = []
    for (const { name, topicId, partitionData } of request.topicData) {
      const topic = topicOf(call.broker.cluster, { name, topicId })
      const partitionResponses: PartitionProduceResponse[] = []
      for (const { index, records } of partitionData) {
        const appended = await append(request, topic, index, records, call)
        partitionResponses.push(
          isRefusal(appended)
            ? refused(index, unknownId(appended, call), topic, call)
            : { index, errorCode: 0, ...appended },
        )
      }
      responses.push({ name, topicId, partitionResponses })
    }
    if (request.acks === 0) {
      if (responses.some(({ partitionResponses }) => partitionResponses.some(({ errorCode }) => errorCode !== 0)))
        call.disconnect()
      return undefined
    }
    const isMoved = responses.some(({ partitionResponses }) =>
      partitionResponses.some(({ errorCode }) => errorCode === ERROR.NOT_LEADER_OR_FOLLOWER),
    )
    return isMoved ? { responses, nodeEndpoints: endpointsOf(call.broker.cluster) } : { responses }
  },

  refuse: ({ topicData }, errorCode) => ({
    responses: topicData.map(({ name, topicId, partitionData }) => ({
      name,
      topicId,
      partitionResponses: partitionData.map(({ index }) => ({ index, errorCode, baseOffset: -1 })),
    })),
  }),

  subjects: ({ topicData, transactionalId }, { broker }) => ({
    topics: topicData.map(({ name, topicId, partitionData }) => ({
      name: topicOf(broker.cluster, { name, topicId })?.name ?? name,
      partitions: partitionData.map(({ index }) => index),
    })),
    ...(transactionalId === null ? {} : { transactionalId }),
  }),
}

async function append(
  { transactionalId, acks }: Pick<Decoded<ProduceRequest>, 'transactionalId' | 'acks'>,
  topic: Topic | undefined,
  index: number,
  records: Buffer | null,
  call: Call,
): Promise<Appended | Refusal> {
  const { cluster } = call.broker
  if (topic?.isInternal === true && call.clientId !== ADMIN_CLIENT)
    return { errorCode: ERROR.INVALID_TOPIC_EXCEPTION, message: `Cannot append to internal topic ${topic.name}` }
  const partition = ledPartition(topic, index, call.node)
  if (isRefusal(partition)) return partition
  if (records === null || records.length === 0)
    return { errorCode: ERROR.INVALID_RECORD, message: 'Produce requests must have record batches' }
  const { transactions } = call.broker
  const refusal = admit(transactions, {
    transactionalId,
    topic: partition.topic.name,
    partition: index,
    records,
    version: call.version,
  })
  if (refusal !== undefined) return refusal
  if (acks === ALL && cluster.lacksReplicas(partition)) return tooFewReplicas(partition, cluster)
  if (partition.log.settings.compacted) {
    // What cannot be read is refused below, with the reason.
    const keyless = await keylessRecords(records).catch(() => undefined)
    if (keyless !== undefined) return keyless
  }
  const now = cluster.now()
  const appended = partition.log.append(records, call.version, partition.leaderEpoch, now)
  if (isRefusal(appended) && appended.errorCode === ERROR.INVALID_TIMESTAMP)
    return { ...appended, records: await untimelyRecords(records, partition.log.settings, now).catch(() => []) }
  if (partition.log.settings.compacted) call.broker.cleaner.appended(partition.log)
  cluster.appended(records.length)
  return appended
}

function tooFewReplicas({ topic, index, replicas }: Partition, cluster: Cluster): Refusal {
  const inSync = cluster.inSync(replicas).length
  return {
    errorCode: ERROR.NOT_ENOUGH_REPLICAS,
    message: `The size of the current ISR ${inSync} is insufficient to satisfy the min.isr requirement of ${topic.settings.minInSync} for partition ${topic.name}-${index}`,
  }
}

/** Of a client that names topics by id, the id is unknown. */
function unknownId(refusal: Refusal, { version }: Call): Refusal {
  const isUnknown = refusal.errorCode === ERROR.UNKNOWN_TOPIC_OR_PARTITION && version >= FIRST_WITH_ID
  return isUnknown ? { ...refusal, errorCode: ERROR.UNKNOWN_TOPIC_ID } : refusal
}

function refused(
  index: number,
  { errorCode, message, fromLog, records = [] }: Refusal,
  topic: Topic | undefined,
  { version }: Call,
): PartitionProduceResponse {
  const partition = topic?.partitions[index]
  const isMoved = errorCode === ERROR.NOT_LEADER_OR_FOLLOWER && partition !== undefined && version >= 10
  return {
    index,
    errorCode,
    baseOffset: -1,
    ...(fromLog === true && partition !== undefined ? { logStartOffset: partition.log.logStartOffset } : {}),
    errorMessage: message,
    recordErrors: records.map(({ batchIndex, message: batchIndexErrorMessage }) => ({
      batchIndex,
      batchIndexErrorMessage,
    })),
    ...(isMoved ? { currentLeader: { leaderId: partition.leader, leaderEpoch: partition.leaderEpoch } } : {}),
  }
}
