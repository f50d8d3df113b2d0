import com.nylas.NylasClient
import com.nylas.models.CreateDraftRequest
import com.nylas.models.EmailName
import com.nylas.models.SendMessageRequest

/** Sends a message from a grant's mailbox, keeps a draft there, and sends that too. */
fun main() {
  val nylas = NylasClient.Builder(System.getenv("NYLAS_API_KEY"))
    .apiUri(System.getenv("NYLAS_API_URI"))
    .build()
  val grant = System.getenv("GRANT_ID")
  val to = listOf(EmailName(System.getenv("RECIPIENT")))

  val request = SendMessageRequest.Builder(to).subject("Hello").body("<p>Sent by Grantway.</p>").build()
  val message = nylas.messages().send(grant, request).data
  println("message ${message.id}")

  val content = CreateDraftRequest.Builder().to(to).subject("A draft").body("<p>Kept at the provider.</p>").build()
  val draft = nylas.drafts().create(grant, content).data
  println("draft ${draft.id}")

  val sent = nylas.drafts().send(grant, draft.id).data
  println("sent ${sent.id}")
}
