/**
 * Rules across the options of `fields.ts`: credentials and certificates must be used as they were meant, and nothing may go out in clear text
 * by mistake.
 */
import { problem, warning, type OptionProblem, type OptionRule } from '../../options/declaration.ts'
import { SASL_MECHANISMS, type SECURITY_FIELDS } from './fields.ts'
import { parseJaas, type LoginModule } from './jaas.ts'
import { oauthProblems } from './oauth/rules.ts'
import type { SecurityOptions } from './settings.ts'
import { storeProblems } from './store-rules.ts'

/** Options of each mechanism, besides `saslJaasConfig`. */
const PASSWORD = ['saslUsername', 'saslPassword'] as const
const OAUTH = [
  'oauthToken',
  'oauthTokenEndpoint',
  'oauthClientId',
  'oauthClientSecret',
  'oauthScope',
  'oauthExtensions',
] as const
const AWS = ['awsRegion', 'awsAccessKeyId', 'awsSecretAccessKey', 'awsSessionToken', 'awsProfile'] as const
const OF_MECHANISM = {
  PLAIN: PASSWORD,
  'SCRAM-SHA-256': PASSWORD,
  'SCRAM-SHA-512': PASSWORD,
  OAUTHBEARER: OAUTH,
  AWS_MSK_IAM: AWS,
} as const
const CREDENTIALS = ['saslMechanism', 'saslJaasConfig', ...PASSWORD, ...OAUTH, ...AWS] as const
const TLS_MATERIAL = [
  'truststoreLocation',
  'truststoreCertificates',
  'keystoreLocation',
  'keystoreKey',
  'keyLocation',
  'certificateLocation',
] as const

type IsSet = Parameters<OptionRule<typeof SECURITY_FIELDS>>[1]

export const securityRule: OptionRule<typeof SECURITY_FIELDS> = (options, isSet) => {
  const protocol = options.securityProtocol
  const problems: OptionProblem[] = []
  if (protocol.startsWith('SASL')) problems.push(...saslProblems(options, isSet))
  else {
    const unused = CREDENTIALS.find(isSet)
    if (unused !== undefined)
      problems.push(
        problem(
          unused,
          `SASL is configured, but security.protocol is ${protocol}, so the credentials would not be used`,
          'set security.protocol to SASL_SSL or SASL_PLAINTEXT',
        ),
      )
  }
  if (protocol.endsWith('SSL')) problems.push(...storeProblems(options))
  else {
    const unused = TLS_MATERIAL.find(isSet)
    if (unused !== undefined)
      problems.push(
        problem(
          unused,
          `TLS is configured, but security.protocol is ${protocol}, so the connection would not be encrypted`,
          `set security.protocol to ${protocol === 'PLAINTEXT' ? 'SSL' : 'SASL_SSL'}`,
        ),
      )
  }
  return problems
}

function saslProblems(options: SecurityOptions, isSet: IsSet): OptionProblem[] {
  const { saslMechanism: mechanism, saslJaasConfig, securityProtocol } = options
  if (mechanism === undefined)
    return [
      problem(
        'saslMechanism',
        `Missing sasl.mechanism, which security.protocol ${securityProtocol} requires`,
        `set it to ${SASL_MECHANISMS.slice(0, -1).join(', ')} or ${SASL_MECHANISMS.at(-1)!}`,
      ),
    ]
  if (mechanism === 'GSSAPI')
    return [
      problem(
        'saslMechanism',
        'Cannot use sasl.mechanism GSSAPI as Kerberos is not supported',
        'use SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or PLAIN',
      ),
    ]
  const foreign = CREDENTIALS.slice(2).find(
    (name) => isSet(name) && !(OF_MECHANISM[mechanism] as readonly string[]).includes(name),
  )
  if (foreign !== undefined)
    return [problem(foreign, `It has no effect with sasl.mechanism ${mechanism}`, 'delete it, or change the mechanism')]
  const jaas = saslJaasConfig === undefined ? undefined : parseJaas(saslJaasConfig)
  if (jaas?.problem !== undefined) return [problem('saslJaasConfig', jaas.problem, jaas.suggestion)]
  const module = jaas?.module
  if (module !== undefined && !mechanism.startsWith(module.family))
    return [
      problem(
        'saslMechanism',
        `Cannot use sasl.mechanism ${mechanism} with the login module for ${module.family}`,
        'change one of them',
      ),
    ]
  if (mechanism === 'OAUTHBEARER') return oauthProblems(options, module)
  if (mechanism === 'AWS_MSK_IAM') return awsProblems(options, module)
  return passwordProblems(options, module)
}

function passwordProblems(options: SecurityOptions, module: LoginModule | undefined): OptionProblem[] {
  const { saslMechanism, saslUsername, saslPassword, securityProtocol } = options
  if (module === undefined && (saslUsername === undefined || saslPassword === undefined))
    return [
      problem(
        saslUsername === undefined ? 'saslJaasConfig' : 'saslPassword',
        `Missing credentials, which security.protocol ${securityProtocol} requires`,
        'set saslJaasConfig, or saslUsername and saslPassword',
      ),
    ]
  if (module !== undefined && (saslUsername !== undefined || saslPassword !== undefined))
    return [problem('saslJaasConfig', 'Cannot use both saslJaasConfig and saslUsername or saslPassword', 'delete one')]
  const isReadable = saslMechanism === 'PLAIN' && securityProtocol === 'SASL_PLAINTEXT'
  return isReadable
    ? [
        warning(
          'saslMechanism',
          'The password is sent in clear text with PLAIN over SASL_PLAINTEXT',
          'use SASL_SSL or SCRAM',
        ),
      ]
    : []
}

function awsProblems(options: SecurityOptions, module: LoginModule | undefined): OptionProblem[] {
  const { awsAccessKeyId, awsSecretAccessKey, awsSessionToken, awsProfile } = options
  if (options.securityProtocol === 'SASL_PLAINTEXT')
    return [
      problem(
        'securityProtocol',
        'Cannot use AWS_MSK_IAM with SASL_PLAINTEXT as IAM credentials must not travel without TLS',
        'set security.protocol to SASL_SSL',
      ),
    ]
  if ((awsAccessKeyId === undefined) !== (awsSecretAccessKey === undefined))
    return [
      problem(
        awsAccessKeyId === undefined ? 'awsAccessKeyId' : 'awsSecretAccessKey',
        'awsAccessKeyId and awsSecretAccessKey must be set together',
      ),
    ]
  if (awsSessionToken !== undefined && awsAccessKeyId === undefined)
    return [problem('awsSessionToken', 'awsSessionToken requires awsAccessKeyId and awsSecretAccessKey')]
  if (awsAccessKeyId !== undefined && (awsProfile !== undefined || module?.options.has('awsProfileName') === true))
    return [
      problem(
        awsProfile === undefined ? 'saslJaasConfig' : 'awsProfile',
        'Cannot use both a profile and awsAccessKeyId',
        'delete one',
      ),
    ]
  if (awsProfile !== undefined && module?.options.has('awsProfileName') === true)
    return [problem('awsProfile', 'Cannot use both awsProfile and awsProfileName of sasl.jaas.config', 'delete one')]
  if (module?.options.has('awsRoleArn') === true)
    return [
      problem(
        'saslJaasConfig',
        'Cannot assume the role awsRoleArn of sasl.jaas.config',
        'set awsProfile to a profile with this role_arn, or run with credentials of the role, for instance by IRSA or an instance profile',
      ),
    ]
  return []
}
