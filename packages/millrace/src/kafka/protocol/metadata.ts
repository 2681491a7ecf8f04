/**
 * Metadata, versions 9 to 12: brokers, topics and the leaders of their partitions.
 * @see https://kafka.apache.org/protocol#The_Messages_Metadata
 */
import type { Decoded } from '../../protocol/message.ts'
import { metadataApi, type MetadataRequest, type MetadataResponse } from '../../protocol/messages/metadata.ts'
import { apiCall } from './api-call.ts'

export const METADATA = apiCall(metadataApi, 9, 12)

export type MetadataAnswer = Decoded<MetadataResponse>

/** Asks for topics by name, or for all with null. None is created by that. */
export function metadataOf(names: readonly string[] | null): MetadataRequest {
  return { topics: names?.map((name) => ({ name })) ?? null, allowAutoTopicCreation: false }
}
