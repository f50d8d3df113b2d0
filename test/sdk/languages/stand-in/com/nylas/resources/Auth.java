package com.nylas.resources;

import com.nylas.models.CodeExchangeResponse;
import com.nylas.models.TokenExchangeRequest;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** See NylasClient. */
public class Auth {
  private final String apiKey;
  private final String apiUri;

  public Auth(String apiKey, String apiUri) {
    this.apiKey = apiKey;
    this.apiUri = apiUri;
  }

  public CodeExchangeResponse refreshAccessToken(TokenExchangeRequest request) {
    String body = String.format(
        "{\"redirect_uri\":\"%s\",\"refresh_token\":\"%s\",\"client_id\":\"%s\",\"client_secret\":\"%s\","
            + "\"grant_type\":\"refresh_token\"}",
        request.redirectUri, request.refreshToken, request.clientId, apiKey);
    HttpRequest post = HttpRequest.newBuilder(URI.create(apiUri + "/v3/connect/token"))
        .version(HttpClient.Version.HTTP_1_1)
        .header("Authorization", "Bearer " + apiKey)
        .header("User-Agent", "Nylas Java SDK 2.18.1")
        .header("Accept", "application/json")
        .header("Content-Type", "application/json")
        .POST(HttpRequest.BodyPublishers.ofString(body))
        .build();
    try {
      HttpResponse<String> answer =
          HttpClient.newHttpClient().send(post, HttpResponse.BodyHandlers.ofString());
      if (answer.statusCode() != 200) throw new IllegalStateException(answer.body());
      return new CodeExchangeResponse(
          field(answer.body(), "access_token"),
          field(answer.body(), "grant_id"),
          Integer.parseInt(field(answer.body(), "expires_in")));
    } catch (IOException | InterruptedException error) {
      throw new IllegalStateException(error);
    }
  }

  private static String field(String json, String name) {
    Matcher found = Pattern.compile("\"" + name + "\":\"?([^\",}]+)").matcher(json);
    if (!found.find()) throw new IllegalStateException(name + " is missing");
    return found.group(1);
  }
}
