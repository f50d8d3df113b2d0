package com.nylas.models;

/** See NylasClient. */
public class CodeExchangeResponse {
  private final String accessToken;
  private final String grantId;
  private final int expiresIn;

  public CodeExchangeResponse(String accessToken, String grantId, int expiresIn) {
    this.accessToken = accessToken;
    this.grantId = grantId;
    this.expiresIn = expiresIn;
  }

  public String getAccessToken() {
    return accessToken;
  }

  public String getGrantId() {
    return grantId;
  }

  public int getExpiresIn() {
    return expiresIn;
  }
}
