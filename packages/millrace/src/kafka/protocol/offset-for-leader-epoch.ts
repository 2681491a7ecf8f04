/**
 * OffsetForLeaderEpoch, version 4: where the log of a leader ends that had an epoch, which tells a consumer whether what it has read is
 * still there after another broker has become leader (KIP-320).
 * @see https://kafka.apache.org/protocol#The_Messages_OffsetForLeaderEpoch
 */
import type { Decoded } from '../../protocol/message.ts'
import {
  offsetForLeaderEpochApi,
  type OffsetForLeaderEpochResponse,
} from '../../protocol/messages/offset-for-leader-epoch.ts'
import { apiCall } from './api-call.ts'

export const OFFSET_FOR_LEADER_EPOCH = apiCall(offsetForLeaderEpochApi, 4, 4)

/** In place of the id of a replica. */
export const CONSUMER_REPLICA = -1

export type LeaderEpochAnswer = Decoded<OffsetForLeaderEpochResponse>
