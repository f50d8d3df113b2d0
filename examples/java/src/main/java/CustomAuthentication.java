import com.nylas.NylasClient;
import com.nylas.models.CodeExchangeResponse;
import com.nylas.models.TokenExchangeRequest;

/** Gets an access token of the grant that has a refresh token you hold. */
public class CustomAuthentication {
  public static void main(String[] args) throws Exception {
    NylasClient nylas = new NylasClient.Builder(System.getenv("NYLAS_API_KEY"))
        .apiUri(System.getenv("NYLAS_API_URI"))
        .build();

    TokenExchangeRequest request = new TokenExchangeRequest.Builder(
        // Sent by the SDK, and not looked at when a token is refreshed.
        "http://localhost",
        System.getenv("REFRESH_TOKEN"),
        System.getenv("NYLAS_CLIENT_ID"))
        .build();
    CodeExchangeResponse response = nylas.auth().refreshAccessToken(request);

    System.out.println("grant " + response.getGrantId());
    System.out.println("access token " + response.getAccessToken());
    System.out.println("seconds " + response.getExpiresIn());
  }
}
