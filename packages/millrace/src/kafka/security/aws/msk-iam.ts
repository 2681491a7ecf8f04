/**
 * AWS_MSK_IAM: one message with a signed request for `kafka-cluster:Connect`, version 2020_10_22, which Amazon MSK gives to IAM to check.
 *
 * @see https://github.com/aws/aws-msk-iam-auth#details
 */
import { regionOfHost } from './region.ts'
import { ConfigError } from '../../../errors/index.ts'
import { CredentialChain } from './credentials.ts'
import type { Conversation, MechanismContext, SaslMechanism } from '../conversation.ts'
import { Renewed } from '../../../security/renewed.ts'
import type { AwsCredentials, AwsSettings } from '../settings.ts'
import { presign } from './sigv4.ts'

const EXPIRES_IN_SECONDS = 900
const USER_AGENT = `millrace/${process.version}`

export function mskIam(settings: AwsSettings, { timeoutMs, environment }: MechanismContext): SaslMechanism {
  const chain = new CredentialChain(environment, settings.profile, timeoutMs)
  const found = new Renewed(() => chain.find())
  const { credentials: given, region } = settings
  return {
    name: 'AWS_MSK_IAM',
    advice:
      'Check the region, the access key and the secret key, and that the identity has the permission kafka-cluster:Connect',
    async prepare(host, signal): Promise<Conversation> {
      const credentials = given ?? (await found.get(signal))
      const signed = signedMessage({
        credentials,
        region: region ?? regionOfHost(host) ?? (await chain.region()) ?? missingRegion(host),
        host,
        userAgent: USER_AGENT,
        at: new Date(),
      })
      return async (exchange) => {
        try {
          await exchange(signed)
        } catch (error) {
          found.forget()
          throw error
        }
      }
    },
  }
}

/** What the client sends: the parameters of the signed request in lower case, as JSON. */
export function signedMessage(request: {
  readonly credentials: AwsCredentials
  readonly region: string
  readonly host: string
  readonly userAgent: string
  readonly at: Date
}): Buffer {
  const { credentials, region, host, userAgent, at } = request
  const query = presign({
    credentials,
    region,
    service: 'kafka-cluster',
    host,
    path: '/',
    query: { Action: 'kafka-cluster:Connect' },
    expiresInSeconds: EXPIRES_IN_SECONDS,
    at,
  })
  const parameters = Object.entries(query).map(([name, value]) => [name.toLowerCase(), value])
  return Buffer.from(
    JSON.stringify({ version: '2020_10_22', host, 'user-agent': userAgent, ...Object.fromEntries(parameters) }),
  )
}

function missingRegion(host: string): never {
  throw new ConfigError(`Cannot sign for broker "${host}" as the region is not known: set awsRegion or AWS_REGION`)
}
