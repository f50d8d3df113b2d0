package com.nylas.models;

/** See NylasClient. */
public class TokenExchangeRequest {
  public final String redirectUri;
  public final String refreshToken;
  public final String clientId;

  private TokenExchangeRequest(String redirectUri, String refreshToken, String clientId) {
    this.redirectUri = redirectUri;
    this.refreshToken = refreshToken;
    this.clientId = clientId;
  }

  public static class Builder {
    private final TokenExchangeRequest request;

    public Builder(String redirectUri, String refreshToken, String clientId) {
      request = new TokenExchangeRequest(redirectUri, refreshToken, clientId);
    }

    public TokenExchangeRequest build() {
      return request;
    }
  }
}
