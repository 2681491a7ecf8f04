/**
 * Credentials of a profile that assumes a role, uses single sign-on or runs a process. AWS's SDK does this; it is an optional peer
 * dependency, loaded when a profile needs it. It reads `process.env`.
 */
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { AuthenticationError, ConfigError, ConnectionError } from '../../../errors/index.ts'
import type { Expiring } from '../../../security/renewed.ts'
import type { AwsCredentials } from '../settings.ts'

/** Settings of a profile that need the SDK, the one that decides first. A role goes before keys in the same profile, as with AWS's tools. */
export const SDK_SETTINGS = ['role_arn', 'credential_process', 'sso_session', 'sso_start_url', 'login_session'] as const

/** What is used of `fromIni` in the SDK. */
export type FromIni = (init: {
  readonly profile: string
  readonly filepath: string
  readonly configFilepath: string
  readonly ignoreCache: boolean
  readonly logger: { readonly [level in 'debug' | 'info' | 'warn' | 'error']: () => void }
  readonly parentClientConfig: { readonly region?: string }
}) => () => Promise<SdkCredentials>

interface SdkCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly expiration?: Date
}

export interface SdkProfile {
  readonly name: string
  /** Which of `SDK_SETTINGS` it has. */
  readonly setting: string
  readonly credentialsFile: string
  readonly configFile: string
  readonly region: string | undefined
  readonly timeoutMs: number
}

/**
 * @throws {ConfigError} when the SDK is not installed
 * @throws {AuthenticationError} when a person has to sign in
 * @throws {ConnectionError} `TOKEN_UNAVAILABLE` when the SDK returns no credentials, or not in time
 */
export async function fromSdkProfile(
  profile: SdkProfile,
  load: () => Promise<FromIni> = loadFromIni,
): Promise<Expiring<AwsCredentials>> {
  const fromIni = await load().catch((cause: unknown) => {
    throw new ConfigError(
      `Cannot use the AWS profile "${profile.name}" as ${profile.setting} needs a package that is not installed: run "npm install @aws-sdk/credential-provider-node", or put what "aws configure export-credentials" prints into the environment`,
      [],
      { cause },
    )
  })
  const { name, credentialsFile: filepath, configFile: configFilepath, region, timeoutMs } = profile
  const parentClientConfig = region === undefined ? {} : { region }
  // Without the cache, so that changed files count.
  const found = fromIni({
    profile: name,
    filepath,
    configFilepath,
    ignoreCache: true,
    logger: QUIET,
    parentClientConfig,
  })
  try {
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = await withinTime(found(), timeoutMs)
    return { value: { accessKeyId, secretAccessKey, sessionToken }, expiresAt: expiration?.getTime() }
  } catch (error) {
    throw failure(profile, error as Error)
  }
}

/**
 * The part of the SDK that reads profiles, and not its default chain: when a profile fails, the chain goes on to the role of the machine,
 * which is another identity.
 * @throws when the package is not installed
 */
async function loadFromIni(): Promise<FromIni> {
  const require = createRequire(import.meta.url)
  const sdk = require.resolve('@aws-sdk/credential-provider-node')
  const file = createRequire(sdk).resolve('@aws-sdk/credential-provider-ini')
  return ((await import(pathToFileURL(file).href)) as { readonly fromIni: FromIni }).fromIni
}

/** Without a logger the SDK writes warnings to the console. */
const QUIET = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** The SDK takes no signal; what it still does is left to itself. */
function withinTime<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  const timeout = AbortSignal.timeout(timeoutMs)
  return new Promise((resolve, reject) => {
    timeout.addEventListener('abort', () => reject(new Error(`no response within ${timeoutMs / 1000} s`)), {
      once: true,
    })
    work.then(resolve, reject)
  })
}

function failure({ name, setting }: SdkProfile, error: Error): Error {
  const reason = error.message.split('\n', 1)[0]!
  const what = `Cannot get AWS credentials from the profile "${name}" (${setting})`
  // The message repeats the command, which may hold a secret (I8), and so does the cause.
  if (reason.startsWith('Command failed'))
    return new ConnectionError('TOKEN_UNAVAILABLE', `${what}: its command failed`)
  if (/aws sso login|aws login|multi-factor/i.test(reason))
    return new AuthenticationError(`${what}: ${reason}`, { cause: error })
  return new ConnectionError('TOKEN_UNAVAILABLE', `${what}: ${reason}`, { cause: error })
}
