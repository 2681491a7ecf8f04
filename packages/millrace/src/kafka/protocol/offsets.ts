/**
 * Requests about offsets: ListOffsets (versions 5 to 9), OffsetCommit (8 to 10) and OffsetFetch (7 to 10).
 * @see https://kafka.apache.org/protocol#The_Messages_ListOffsets
 */
import { listOffsetsApi } from '../../protocol/messages/list-offsets.ts'
import { offsetCommitApi } from '../../protocol/messages/offset-commit.ts'
import { offsetFetchApi } from '../../protocol/messages/offset-fetch.ts'
import { apiCall } from './api-call.ts'

/** Where a log begins and ends, and where it was at a time. */
export const LIST_OFFSETS = apiCall(listOffsetsApi, 5, 9)

/** From version 10 on topics are named by their ids. */
export const OFFSET_COMMIT = apiCall(offsetCommitApi, 8, 10)

/** Before version 8 of one group, whose fields are in the request and the response themselves; from version 10 on topics are named by their ids. */
export const OFFSET_FETCH = apiCall(offsetFetchApi, 7, 10)
