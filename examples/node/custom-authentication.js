// Makes a grant from a refresh token that you hold, or heals the grant of the same mailbox.
import Nylas from 'nylas'

const nylas = new Nylas({
  apiKey: process.env.NYLAS_API_KEY,
  apiUri: process.env.NYLAS_API_URI,
})

const { data: grant } = await nylas.auth.customAuthentication({
  requestBody: {
    provider: process.env.PROVIDER ?? 'google',
    settings: {
      refreshToken: process.env.REFRESH_TOKEN,
    },
  },
})

console.log('grant', grant.id)
console.log('email', grant.email)
console.log('status', grant.grantStatus)
