/** AlterUserScramCredentials (51): sets and deletes the credentials of users for SCRAM (KIP-554). A user is changed as a whole or not at all. */
import { ERROR } from '../../protocol/error-codes.ts'
import type { Decoded } from '../../protocol/message.ts'
import {
  alterUserScramCredentialsApi,
  type AlterUserScramCredentialsRequest,
  type AlterUserScramCredentialsResponse,
} from '../../protocol/messages/alter-user-scram-credentials.ts'
import type { Refusal } from '../log/check-batch.ts'
import { SCRAM_MECHANISMS, type ScramCredentials } from '../security/scram-credentials.ts'
import type { Handler } from './handler.ts'

const MIN_ITERATIONS = 4096
const MAX_ITERATIONS = 16_384

type Request = Decoded<AlterUserScramCredentialsRequest>

export const alterUserScramCredentials: Handler<AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse> = {
  api: alterUserScramCredentialsApi,
  handle: (request, { broker: { security } }) => ({
    throttleTimeMs: 0,
    results: usersOf(request).map((user) => {
      const problem = problemOf(user, request, security.scram)
      if (problem !== undefined) return { user, errorCode: problem.errorCode, errorMessage: problem.message }
      alter(user, request, security.scram)
      return { user, errorCode: 0, errorMessage: null }
    }),
  }),
  refuse: (request, errorCode) => ({
    throttleTimeMs: 0,
    results: usersOf(request).map((user) => ({ user, errorCode, errorMessage: null })),
  }),
}

function usersOf({ deletions, upsertions }: Request): string[] {
  return [...new Set([...deletions, ...upsertions].map(({ name }) => name))]
}

function problemOf(user: string, { deletions, upsertions }: Request, scram: ScramCredentials): Refusal | undefined {
  if (user === '') return { errorCode: ERROR.UNACCEPTABLE_CREDENTIAL, message: 'Username must not be empty' }
  const changed = [...deletions, ...upsertions].filter(({ name }) => name === user).map(({ mechanism }) => mechanism)
  if (changed.some((mechanism) => SCRAM_MECHANISMS[mechanism] === undefined))
    return { errorCode: ERROR.UNSUPPORTED_SASL_MECHANISM, message: 'Unknown SCRAM mechanism' }
  if (new Set(changed).size < changed.length)
    return {
      errorCode: ERROR.DUPLICATE_RESOURCE,
      message: 'A user credential cannot be altered twice in the same request',
    }
  for (const { name, iterations } of upsertions) {
    if (name !== user) continue
    if (iterations < MIN_ITERATIONS) return { errorCode: ERROR.UNACCEPTABLE_CREDENTIAL, message: 'Too few iterations' }
    if (iterations > MAX_ITERATIONS) return { errorCode: ERROR.UNACCEPTABLE_CREDENTIAL, message: 'Too many iterations' }
  }
  const isMissing = deletions.some(
    ({ name, mechanism }) => name === user && scram.iterations(user, SCRAM_MECHANISMS[mechanism]!) === undefined,
  )
  return isMissing
    ? {
        errorCode: ERROR.RESOURCE_NOT_FOUND,
        message: 'Attempt to delete a user credential that does not exist',
      }
    : undefined
}

function alter(user: string, { deletions, upsertions }: Request, scram: ScramCredentials): void {
  for (const { name, mechanism } of deletions) if (name === user) scram.delete(user, SCRAM_MECHANISMS[mechanism]!)
  for (const { name, mechanism, salt, iterations, saltedPassword } of upsertions)
    if (name === user)
      // Views of the request would keep it in memory.
      scram.set(user, SCRAM_MECHANISMS[mechanism]!, Buffer.from(salt), iterations, Buffer.from(saltedPassword))
}
