/** DescribeUserScramCredentials (50): which users have credentials for SCRAM, without the credentials (KIP-554). */
import { ERROR } from '../../protocol/error-codes.ts'
import {
  describeUserScramCredentialsApi,
  type DescribeUserScramCredentialsRequest,
  type DescribeUserScramCredentialsResponse,
  type DescribeUserScramCredentialsResult,
} from '../../protocol/messages/describe-user-scram-credentials.ts'
import { SCRAM_MECHANISMS, type ScramCredentials } from '../security/scram-credentials.ts'
import type { Handler } from './handler.ts'

export const describeUserScramCredentials: Handler<
  DescribeUserScramCredentialsRequest,
  DescribeUserScramCredentialsResponse
> = {
  api: describeUserScramCredentialsApi,
  handle({ users }, { broker: { security } }) {
    const names = users === null || users.length === 0 ? security.scram.users() : users.map(({ name }) => name)
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      errorMessage: null,
      results: [...new Set(names)].map((user) =>
        names.indexOf(user) === names.lastIndexOf(user)
          ? describe(user, security.scram)
          : failed(
              user,
              ERROR.DUPLICATE_RESOURCE,
              `Cannot describe SCRAM credentials for the same user twice in a single request: ${user}`,
            ),
      ),
    }
  },
  refuse: (_request, errorCode) => ({ throttleTimeMs: 0, errorCode, errorMessage: null, results: [] }),
}

function describe(user: string, scram: ScramCredentials): DescribeUserScramCredentialsResult {
  const credentialInfos = SCRAM_MECHANISMS.flatMap((name, mechanism) => {
    const iterations = name === undefined ? undefined : scram.iterations(user, name)
    return iterations === undefined ? [] : [{ mechanism, iterations }]
  })
  return credentialInfos.length === 0
    ? failed(user, ERROR.RESOURCE_NOT_FOUND, `Attempt to describe a user credential that does not exist: ${user}`)
    : { user, errorCode: 0, errorMessage: null, credentialInfos }
}

function failed(user: string, errorCode: number, errorMessage: string): DescribeUserScramCredentialsResult {
  return { user, errorCode, errorMessage, credentialInfos: [] }
}
