package com.nylas;

import com.nylas.resources.Auth;

/**
 * Stands in for the official SDK's class of that name where no registry has the SDK, so that the examples can be
 * compiled and run all the same. It sends what recorded/java-2.18.1.http shows the SDK to send.
 */
public class NylasClient {
  private final String apiKey;
  private final String apiUri;

  private NylasClient(String apiKey, String apiUri) {
    this.apiKey = apiKey;
    this.apiUri = apiUri;
  }

  public Auth auth() {
    return new Auth(apiKey, apiUri);
  }

  public static class Builder {
    private final String apiKey;
    private String apiUri = "";

    public Builder(String apiKey) {
      this.apiKey = apiKey;
    }

    public Builder apiUri(String value) {
      apiUri = value;
      return this;
    }

    public NylasClient build() {
      return new NylasClient(apiKey, apiUri);
    }
  }
}
