/**
 * Finds AWS credentials where the tools of AWS look for them: a profile, the environment, a web identity (IRSA), the shared files, a container
 * (ECS, EKS Pod Identity), the machine (EC2). The first that is set up is used; no secret is ever part of an error (I8).
 *
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
 */
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { AuthenticationError, ConfigError } from '../../../errors/index.ts'
import { type AwsAnswer, type Environment, fromContainer, fromMachine, fromWebIdentity } from './endpoints.ts'
import { type FromIni, fromSdkProfile, SDK_SETTINGS } from './profile-sdk.ts'
import type { Expiring } from '../../../security/renewed.ts'
import type { AwsCredentials } from '../settings.ts'

export class CredentialChain {
  readonly #environment: Environment
  readonly #profile: string | undefined
  readonly #timeoutMs: number
  readonly #loadFromIni: (() => Promise<FromIni>) | undefined
  /** Whether the machine has given credentials. */
  #isMachine = false

  /**
   * @param profile when it is set, nothing else is used
   * @param loadFromIni loads the part of AWS's SDK that reads profiles
   */
  constructor(
    environment: Environment,
    profile: string | undefined,
    timeoutMs: number,
    loadFromIni?: () => Promise<FromIni>,
  ) {
    this.#environment = environment
    this.#profile = profile
    this.#timeoutMs = timeoutMs
    this.#loadFromIni = loadFromIni
  }

  /** @throws {ConnectionError} `TOKEN_UNAVAILABLE`; {AuthenticationError} when nothing is set up; {ConfigError} when a profile is not there or cannot be used */
  async find(): Promise<Expiring<AwsCredentials>> {
    if (this.#profile !== undefined) return this.#fromProfile(this.#profile, true)
    const environment = this.#environment
    const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment
    if (isSet(accessKeyId) && isSet(secretAccessKey))
      return lasting({ accessKeyId, secretAccessKey, sessionToken: environment['AWS_SESSION_TOKEN'] || undefined })
    const region = await this.region()
    const answer =
      (await fromWebIdentity(environment, region, this.#timeoutMs)) ??
      (await this.#fromProfile(environment['AWS_PROFILE'] || 'default', isSet(environment['AWS_PROFILE']))) ??
      (await fromContainer(environment, this.#timeoutMs)) ??
      (await this.#fromMachine())
    if (answer !== undefined) return answer
    throw new AuthenticationError(
      'Cannot find AWS credentials in the environment, the shared files, the container or the instance metadata: set awsAccessKeyId and awsSecretAccessKey, awsProfile, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    )
  }

  async #fromMachine(): Promise<AwsAnswer | undefined> {
    try {
      const answer = await fromMachine(this.#environment, this.#timeoutMs)
      this.#isMachine ||= answer !== undefined
      return answer
    } catch (error) {
      // Nobody there means that this is no such machine, unless it has answered before.
      if (this.#isMachine) throw error
      return undefined
    }
  }

  /** Region of the environment or of the profile. */
  async region(): Promise<string | undefined> {
    const { AWS_REGION, AWS_DEFAULT_REGION, AWS_PROFILE } = this.#environment
    if (isSet(AWS_REGION)) return AWS_REGION
    if (isSet(AWS_DEFAULT_REGION)) return AWS_DEFAULT_REGION
    return (await this.#settingsOf(this.#profile ?? (AWS_PROFILE || 'default'))).get('region')
  }

  async #fromProfile(name: string, isRequired: true): Promise<Expiring<AwsCredentials>>
  async #fromProfile(name: string, isRequired: boolean): Promise<Expiring<AwsCredentials> | undefined>
  async #fromProfile(name: string, isRequired: boolean): Promise<Expiring<AwsCredentials> | undefined> {
    const settings = await this.#settingsOf(name)
    // A role goes before keys, which are then those that may assume it.
    const isRole = settings.has('role_arn') && (settings.has('source_profile') || settings.has('credential_source'))
    const accessKeyId = settings.get('aws_access_key_id')
    const secretAccessKey = settings.get('aws_secret_access_key')
    if (!isRole && isSet(accessKeyId) && isSet(secretAccessKey))
      return lasting({ accessKeyId, secretAccessKey, sessionToken: settings.get('aws_session_token') || undefined })
    const setting = SDK_SETTINGS.find((key) => settings.has(key))
    if (setting !== undefined) {
      const [credentialsFile, configFile] = this.#files()
      const region = await this.region()
      return fromSdkProfile(
        { name, setting, credentialsFile, configFile, region, timeoutMs: this.#timeoutMs },
        this.#loadFromIni,
      )
    }
    if (!isRequired) return undefined
    throw new ConfigError(
      `Cannot use the AWS profile "${name}" as ${settings.size === 0 ? 'it does not exist' : 'it has no access key'}: looked in "${this.#files().join('" and "')}"`,
    )
  }

  /** Of both files; that of the credentials wins. */
  async #settingsOf(profile: string): Promise<ReadonlyMap<string, string>> {
    const [credentials = '', config = ''] = await Promise.all(
      this.#files().map((file) => readFile(file, 'utf8').catch(() => '')),
    )
    return new Map([
      ...readSection(config, profile === 'default' ? ['default', 'profile default'] : [`profile ${profile}`]),
      ...readSection(credentials, [profile]),
    ])
  }

  #files(): [credentials: string, config: string] {
    const { AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE, HOME } = this.#environment
    const folder = join(HOME || homedir(), '.aws')
    return [AWS_SHARED_CREDENTIALS_FILE || join(folder, 'credentials'), AWS_CONFIG_FILE || join(folder, 'config')]
  }
}

/** One section of an INI file: `[name]`, then `key = value`; comments begin with # or ;. Nested values are left out. */
export function readSection(text: string, names: readonly string[]): ReadonlyMap<string, string> {
  const settings = new Map<string, string>()
  let isInside = false
  for (const line of text.split(/\r?\n/)) {
    const header = /^\s*\[\s*(.+?)\s*\]/.exec(line)
    if (header !== null) isInside = names.includes(header[1]!.replace(/\s+/, ' '))
    else if (isInside) {
      const [, key, value] = /^([^\s=#;][^=]*?)\s*=\s*(.*?)(?:\s+[#;].*)?\s*$/.exec(line) ?? []
      if (key !== undefined && value !== undefined) settings.set(key.toLowerCase(), value)
    }
  }
  return settings
}

/** Credentials whose end is not known are looked for each time, so that changed files count. */
function lasting(value: AwsCredentials): AwsAnswer {
  return { value, expiresAt: undefined }
}

function isSet(text: string | undefined): text is string {
  return text !== undefined && text !== ''
}
