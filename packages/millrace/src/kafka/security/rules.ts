/**
 * Rules across the options of `fields.ts`: credentials and certificates must be used as they were meant, and nothing may go out in clear text
 * by mistake.
 */
import { problem, warning, type OptionProblem, type OptionRule } from '../../options/fields.ts'
import { SASL_MECHANISMS, type SECURITY_FIELDS } from './fields.ts'
import { parseJaas, type LoginModule } from './jaas.ts'
import { type SecurityOptions, tokenSettings } from './settings.ts'
import { isExtension } from './token-types.ts'

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
        `Missing sasl.mechanism, which security.protocol ${securityProtocol} needs`,
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
    return [problem(foreign, `It has no meaning for sasl.mechanism ${mechanism}`, 'delete it, or change the mechanism')]
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
        `Missing credentials, which security.protocol ${securityProtocol} needs`,
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

/** What a login module and an option may both say. */
const ALSO_IN_JAAS = [
  ['oauthClientId', 'clientId'],
  ['oauthClientSecret', 'clientSecret'],
  ['oauthScope', 'scope'],
] as const

function oauthProblems(options: SecurityOptions, module: LoginModule | undefined): OptionProblem[] {
  const { oauthToken, oauthTokenEndpoint: endpoint, securityProtocol } = options
  const isFile = endpoint !== undefined && /^file:/i.test(endpoint)
  if (oauthToken !== undefined && endpoint !== undefined)
    return [problem('oauthToken', 'Cannot use both oauthToken and oauthTokenEndpoint', 'delete one')]
  const twice = ALSO_IN_JAAS.find(([name, inJaas]) => options[name] !== undefined && module?.options.has(inJaas))
  if (twice !== undefined)
    return [problem(twice[0], `Cannot use both ${twice[0]} and ${twice[1]} of sasl.jaas.config`, 'delete one')]
  if (endpoint === undefined || isFile) {
    const unused = (['oauthClientId', 'oauthClientSecret', 'oauthScope'] as const).find(
      (name) => options[name] !== undefined,
    )
    if (unused !== undefined)
      return [
        problem(
          unused,
          'It would not be used, as there is no token endpoint that could be asked',
          'set oauthTokenEndpoint to an https: address',
        ),
      ]
  }
  if (tokenSettings(options, module) === undefined) {
    if (endpoint !== undefined) {
      const hasId = (options.oauthClientId ?? module?.options.get('clientId')) !== undefined
      return [
        problem(
          hasId ? 'oauthClientSecret' : 'oauthClientId',
          `Missing the ${hasId ? 'secret of the client' : 'client'} that asks the token endpoint`,
          'set oauthClientId and oauthClientSecret',
        ),
      ]
    }
    return [
      problem(
        'saslMechanism',
        'Missing a token, which sasl.mechanism OAUTHBEARER needs',
        'set oauthTokenEndpoint with oauthClientId and oauthClientSecret, or oauthToken',
      ),
    ]
  }
  const unlikely = extensionProblem(options, module)
  if (unlikely !== undefined) return [unlikely]
  const warnings: OptionProblem[] = []
  if (securityProtocol === 'SASL_PLAINTEXT' && tokenSettings(options, module)?.from !== 'claims')
    warnings.push(
      warning('securityProtocol', 'The token is sent to brokers in clear text over SASL_PLAINTEXT', 'use SASL_SSL'),
    )
  if (endpoint !== undefined && /^http:/i.test(endpoint) && !isLoopback(endpoint))
    warnings.push(
      warning('oauthTokenEndpoint', 'The secret of the client is sent in clear text over http', 'use https'),
    )
  return warnings
}

/** Extensions as RFC 7628 and Kafka allow them; others would change the meaning of the message. */
function extensionProblem(options: SecurityOptions, module: LoginModule | undefined): OptionProblem | undefined {
  const inJaas = [...(module?.options ?? [])].flatMap(([name, value]): [string, string, string][] =>
    name.startsWith('extension_') ? [['saslJaasConfig', name.slice('extension_'.length), value]] : [],
  )
  const own = Object.entries(options.oauthExtensions ?? {}).map(([name, value]): [string, string, string] => [
    'oauthExtensions',
    name,
    value,
  ])
  const wrong = [...inJaas, ...own].find(([, name, value]) => !isExtension(name, value))
  return wrong === undefined
    ? undefined
    : problem(
        wrong[0],
        `Cannot use the SASL extension "${wrong[1]}" as a name has letters only and is not "auth", and a value has printable characters`,
      )
}

function isLoopback(url: string): boolean {
  return /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(new URL(url).hostname)
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
        'awsAccessKeyId and awsSecretAccessKey need one another',
      ),
    ]
  if (awsSessionToken !== undefined && awsAccessKeyId === undefined)
    return [problem('awsSessionToken', 'awsSessionToken needs awsAccessKeyId and awsSecretAccessKey')]
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
        'Cannot take the role of awsRoleArn, and any other identity would be the wrong one',
        'run with credentials of the role, for instance by IRSA or an instance profile',
      ),
    ]
  return []
}

function storeProblems(options: SecurityOptions): OptionProblem[] {
  const problems: OptionProblem[] = []
  const { truststoreLocation, keystoreLocation, keystoreKey, keystoreCertificateChain } = options
  if (
    options.truststoreType === 'JKS' ||
    (options.truststoreType === undefined && truststoreLocation?.endsWith('.jks'))
  ) {
    problems.push(
      problem(
        'truststoreLocation',
        'Cannot read a JKS truststore',
        'convert it: keytool -list -rfc -keystore FILE > ca.pem, and set ssl.truststore.type to PEM',
      ),
    )
  }
  if (options.keystoreType === 'JKS' || (options.keystoreType === undefined && keystoreLocation?.endsWith('.jks'))) {
    problems.push(
      problem(
        'keystoreLocation',
        'Cannot read a JKS keystore',
        'convert it: keytool -importkeystore -srckeystore FILE -destkeystore client.p12 -deststoretype PKCS12',
      ),
    )
  }
  if (truststoreLocation !== undefined && options.truststoreCertificates !== undefined)
    problems.push(
      problem(
        'truststoreLocation',
        'Cannot use both ssl.truststore.location and ssl.truststore.certificates',
        'delete one',
      ),
    )
  if (keystoreLocation !== undefined && keystoreKey !== undefined)
    problems.push(
      problem('keystoreLocation', 'Cannot use both ssl.keystore.location and ssl.keystore.key', 'delete one'),
    )
  const { keyLocation, certificateLocation } = options
  if ((keyLocation === undefined) !== (certificateLocation === undefined))
    problems.push(
      problem(
        keyLocation === undefined ? 'certificateLocation' : 'keyLocation',
        'ssl.key.location and ssl.certificate.location need one another',
      ),
    )
  if (keyLocation !== undefined && (keystoreLocation ?? keystoreKey) !== undefined)
    problems.push(
      problem(
        'keyLocation',
        `Cannot use both ssl.key.location and ${keystoreLocation === undefined ? 'ssl.keystore.key' : 'ssl.keystore.location'}`,
        'delete one',
      ),
    )
  if ((keystoreKey === undefined) !== (keystoreCertificateChain === undefined))
    problems.push(
      problem(
        keystoreKey === undefined ? 'keystoreCertificateChain' : 'keystoreKey',
        'ssl.keystore.key and ssl.keystore.certificate.chain need one another',
      ),
    )
  return problems
}
