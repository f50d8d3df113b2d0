import com.nylas.NylasClient
import com.nylas.models.TokenExchangeRequest

/** Gets an access token of the grant that has a refresh token you hold. */
fun main() {
  val nylas = NylasClient.Builder(System.getenv("NYLAS_API_KEY"))
    .apiUri(System.getenv("NYLAS_API_URI"))
    .build()

  val request = TokenExchangeRequest.Builder(
    // Sent by the SDK, and not looked at when a token is refreshed.
    "http://localhost",
    System.getenv("REFRESH_TOKEN"),
    System.getenv("NYLAS_CLIENT_ID"),
  ).build()
  val response = nylas.auth().refreshAccessToken(request)

  println("grant ${response.grantId}")
  println("access token ${response.accessToken}")
  println("seconds ${response.expiresIn}")
}
