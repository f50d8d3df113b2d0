import com.nylas.NylasClient;
import com.nylas.models.CreateDraftRequest;
import com.nylas.models.Draft;
import com.nylas.models.EmailName;
import com.nylas.models.Message;
import com.nylas.models.SendMessageRequest;
import java.util.List;

/** Sends a message from a grant's mailbox, keeps a draft there, and sends that too. */
public class SendMessage {
  public static void main(String[] args) throws Exception {
    NylasClient nylas = new NylasClient.Builder(System.getenv("NYLAS_API_KEY"))
        .apiUri(System.getenv("NYLAS_API_URI"))
        .build();
    String grant = System.getenv("GRANT_ID");
    List<EmailName> to = List.of(new EmailName(System.getenv("RECIPIENT"), null));

    SendMessageRequest request = new SendMessageRequest.Builder(to)
        .subject("Hello")
        .body("<p>Sent by Grantway.</p>")
        .build();
    Message message = nylas.messages().send(grant, request).getData();
    System.out.println("message " + message.getId());

    CreateDraftRequest content = new CreateDraftRequest.Builder()
        .to(to)
        .subject("A draft")
        .body("<p>Kept at the provider.</p>")
        .build();
    Draft draft = nylas.drafts().create(grant, content).getData();
    System.out.println("draft " + draft.getId());

    Message sent = nylas.drafts().send(grant, draft.getId()).getData();
    System.out.println("sent " + sent.getId());
  }
}
