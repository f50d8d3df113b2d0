import com.nylas.NylasClient;
import com.nylas.models.*;
import com.nylas.resources.Auth;
import com.nylas.resources.Webhooks;
import java.util.List;
import java.util.Map;
import java.util.Scanner;
import java.util.concurrent.Callable;

/**
 * Calls of the official Java SDK, unmodified. Prints a line for each; the test looks at them.
 *
 * <p>A line of standard input answers {@code pkce_url} with a code for its challenge.
 */
public class SdkCalls {
  private static final String CLIENT_ID = System.getenv("NYLAS_CLIENT_ID");
  private static final String REDIRECT_URI = System.getenv("REDIRECT_URI");

  private static void say(Object... values) {
    StringBuilder line = new StringBuilder();
    for (Object value : values) line.append(line.length() == 0 ? "" : " ").append(value);
    System.out.println(line);
  }

  private static void refusal(String name, Callable<?> call) throws Exception {
    try {
      call.call();
      say(name, "no error");
    } catch (NylasOAuthError error) {
      say(name, error.getError(), error.getStatusCode(), error.getErrorCode());
    }
  }

  private static CodeExchangeRequest exchange(String code, String verifier) {
    CodeExchangeRequest.Builder request = new CodeExchangeRequest.Builder(REDIRECT_URI, code, CLIENT_ID);
    return (verifier == null ? request : request.codeVerifier(verifier)).build();
  }

  private static TokenExchangeRequest refresh(String token) {
    return new TokenExchangeRequest.Builder(REDIRECT_URI, token, CLIENT_ID).build();
  }

  private static UrlForAuthenticationConfig.Builder url() {
    return new UrlForAuthenticationConfig.Builder(CLIENT_ID, REDIRECT_URI);
  }

  private static void info(String name, TokenInfoResponse info) {
    say(name, info.getIss(), info.getAud(), info.getSub(), info.getEmail(), info.getExp() - info.getIat());
  }

  public static void main(String[] args) throws Exception {
    String code = System.getenv("CODE");
    String token = System.getenv("REFRESH_TOKEN");
    NylasClient nylas =
        new NylasClient.Builder(System.getenv("NYLAS_API_KEY")).apiUri(System.getenv("NYLAS_API_URI")).build();
    Auth auth = nylas.auth();

    CreateGrantRequest request =
        new CreateGrantRequest.Builder(AuthProvider.GOOGLE, Map.of("refresh_token", token)).build();
    Grant grant = auth.customAuthentication(request).getData();
    say("custom_authentication", grant.getId(), grant.getProvider().getValue(), grant.getEmail(),
        grant.getGrantStatus().toString().toLowerCase());

    CodeExchangeResponse byProviderToken = auth.refreshAccessToken(refresh(token));
    say("refresh_provider_token", byProviderToken.getGrantId(), byProviderToken.getExpiresIn());

    CodeExchangeResponse first = auth.exchangeCodeForToken(exchange(code, null));
    say("exchange", first.getGrantId(), first.getExpiresIn(), first.getEmail(), first.getTokenType(),
        first.getProvider().getValue());

    PKCEAuthURL pkce = auth.urlForOAuth2PKCE(url().provider(AuthProvider.GOOGLE).accessType(AccessType.OFFLINE)
        .scope(List.of("openid", "email")).build());
    say("pkce_url", pkce.getUrl());
    String pkceCode = new Scanner(System.in).nextLine();
    say("pkce_exchange", auth.exchangeCodeForToken(exchange(pkceCode, pkce.getSecret())).getGrantId());

    CodeExchangeResponse second = auth.refreshAccessToken(refresh(first.getRefreshToken()));
    say("refresh", second.getGrantId(), second.getExpiresIn(),
        first.getRefreshToken().equals(second.getRefreshToken()));

    info("id_token_info", auth.idTokenInfo(second.getIdToken()).getData());
    info("access_token_info", auth.accessTokenInfo(second.getAccessToken()).getData());
    RequestOverrides asUser = new RequestOverrides.Builder().apiKey(second.getAccessToken()).build();
    say("me", nylas.grants().find("me", asUser).getData().getId());

    say("revoke", auth.revoke(new TokenParams(second.getAccessToken())));
    refusal("revoke_again", () -> auth.revoke(new TokenParams(second.getAccessToken())));
    refusal("refresh_revoked", () -> auth.refreshAccessToken(refresh(first.getRefreshToken())));
    refusal("exchange_used", () -> auth.exchangeCodeForToken(exchange(code, null)));

    ProviderDetectResponse detected = auth.detectProvider(
        new ProviderDetectParams.Builder("someone@gmail.com").allProviderTypes(true).build()).getData();
    say("detect", detected.getEmailAddress(), detected.getDetected(), detected.getProvider());

    ListGrantsQueryParams query = new ListGrantsQueryParams.Builder().limit(5).email(grant.getEmail()).build();
    StringBuilder ids = new StringBuilder();
    for (Grant each : nylas.grants().list(query).getData()) ids.append(" ").append(each.getId());
    say("grants_list" + ids);
    say("grants_find", nylas.grants().find(grant.getId()).getData().getEmail());

    say("oauth2_url", auth.urlForOAuth2(url().provider(AuthProvider.GOOGLE).state("a b")
        .includeGrantScopes(true).smtpRequired(true).build()));
    say("admin_url", auth.urlForAdminConsent(url().build(), System.getenv("CREDENTIAL_ID")));

    Webhooks webhooks = nylas.webhooks();
    WebhookWithSecret made = webhooks.create(new CreateWebhookRequest.Builder(
        List.of(WebhookTriggers.GRANT_CREATED, WebhookTriggers.GRANT_EXPIRED), System.getenv("WEBHOOK_URL"))
        .build()).getData();
    StringBuilder triggers = new StringBuilder();
    for (WebhookTriggers each : made.getTriggerTypes()) {
      triggers.append(" ").append(each.name().toLowerCase().replace('_', '.'));
    }
    say("webhook_create", made.getId(), made.getStatus().toString().toLowerCase(),
        made.getWebhookSecret().length() + triggers.toString());
    StringBuilder listed = new StringBuilder();
    for (Webhook each : webhooks.list().getData()) listed.append(" ").append(each.getId());
    say("webhook_list" + listed);
    say("webhook_find", webhooks.find(made.getId()).getData().getWebhookUrl());
    say("webhook_update", webhooks.update(made.getId(),
        new UpdateWebhookRequest.Builder().description("changed").build()).getData().getDescription());
    WebhookWithSecret rotated = webhooks.rotateSecret(made.getId()).getData();
    say("webhook_rotate", rotated.getId(), !rotated.getWebhookSecret().equals(made.getWebhookSecret()));
    webhooks.destroy(made.getId());
    say("webhook_destroy", true, webhooks.list().getData().size());
  }
}
